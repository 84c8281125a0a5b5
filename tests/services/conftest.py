"""The tests of the queue run on both databases; those of training start no worker."""

import pytest

from databases import database, database_url, postgres
from llmlora.core.errors import LlmloraError
from llmlora.core.events import EventWriter
from llmlora.services import train as train_service
from llmlora.services.outcome import outcome

__all__ = ["database", "database_url", "postgres"]


@pytest.fixture
def started(monkeypatch):
    """Let `start_training` and `resume_training` run this instead of a worker."""

    def use(function):
        def run_worker(kind, folder, on_event):
            try:
                return function(folder)
            except LlmloraError as error:  # as it comes back from a worker: by its last event
                EventWriter(folder / "runs" / "1", 1).emit("run_ended", status="failed", error=error.to_dict())
                raise outcome(folder, 1).error from error

        monkeypatch.setattr(train_service, "run_worker", run_worker)

    return use
