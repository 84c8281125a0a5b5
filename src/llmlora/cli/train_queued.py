"""Training through the queue: a planned job is queued, and followed or left alone."""

from __future__ import annotations

from typing import Any

from llmlora.cli.job_events import follow_queued
from llmlora.cli.progress import EventPrinter
from llmlora.services.plan_training import PlannedJob
from llmlora.services.queue_training import queue_training
from llmlora.services.workspace import open_workspace
from llmlora.store.jobs import JobRow


def queue_planned(planned: PlannedJob) -> JobRow:
    """Put a planned job into the queue of the workspace."""
    with open_workspace() as queue:
        return queue_training(queue, planned.job)


def follow_training(job_id: str, planned: PlannedJob, printer: EventPrinter) -> dict[str, Any]:
    """Follow a queued job to its end, and return its summary as `start_training` does.

    Raises:
        LlmloraError: what kept it from succeeding. Stopped: `watching_ended`, Ctrl-C; the job goes on.
    """
    return {**follow_queued(job_id, printer), "plan": planned.plan_dict()}
