"""Experiment trackers: they get the metrics as well, write inside the job's folder, and can never end a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from accelerate import Accelerator

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.core.memory import is_memory_error
from llmlora.engine.ranks import ALONE, Ranks

PROJECT = "llmlora"
DIR = "trackers"


class Trackers:
    """The trackers of one run; the first failure of each is one warning, and training goes on without it.

    Of several ranks the first one alone has any.
    """

    def __init__(self, config: TrainConfig, run_folder: Path, events: EventWriter, ranks: Ranks = ALONE) -> None:
        self._events = events
        self._step = 0
        self._active: dict[str, Accelerator] = {}
        settings = {name: str(value) for name, value in config.model_dump().items()}
        for name in config.report_to if ranks.is_first else ():
            self._guarded(name, self._start, name, settings, run_folder / DIR)

    def log(self, metrics: dict[str, Any], step: int) -> None:
        """Hand the numbers of a step on; what is not finite or not there is left out."""
        self._step = step
        values = {name: value for name, value in metrics.items() if value is not None}
        for name, accelerator in list(self._active.items()):
            self._guarded(name, accelerator.log, values, step)

    def close(self) -> None:
        """Let every tracker write what it still holds."""
        for name, accelerator in list(self._active.items()):
            self._guarded(name, _finish, accelerator)
        self._active.clear()

    def _start(self, name: str, settings: dict[str, str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _keep_inside(name, folder)
        accelerator = Accelerator(log_with=[name], project_dir=str(folder))
        accelerator.init_trackers(PROJECT, config=settings, init_kwargs=_own_settings(name, folder))
        self._active[name] = accelerator

    def _guarded(self, name: str, call: Any, *arguments: Any) -> None:
        try:
            call(*arguments)
        except Exception as error:
            if is_memory_error(error):
                raise
            self._active.pop(name, None)
            detail = " ".join(str(error).split())[:200] or type(error).__name__
            self._events.emit(
                "warning", code="tracker_failed", step=self._step, params={"tracker": name, "detail": detail}
            )


def _finish(accelerator: Accelerator) -> None:
    """End its trackers only: Accelerate's own way would end the process group as well, which ranks still need."""
    for tracker in accelerator.trackers:
        tracker.finish()


def _keep_inside(name: str, folder: Path) -> None:
    """Point a tracker's files at the run folder, unless the user has named a server or a place for them."""
    if name == "wandb":
        os.environ.setdefault("WANDB_DIR", str(folder))
    if name == "mlflow":
        os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{folder / 'mlflow.db'}")
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")  # its own default holds a run up for 4 minutes
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")


def _own_settings(name: str, folder: Path) -> dict[str, dict[str, Any]]:
    return {"wandb": {"dir": str(folder)}} if name == "wandb" else {}
