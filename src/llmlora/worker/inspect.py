"""Worker kind `inspect`: read data files that strangers wrote, under hard limits.

Only `data` is loaded, so that it starts at once and a limit on memory can be small.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.events import EventWriter
from llmlora.worker.data_tasks import DATA_TASKS
from llmlora.worker.frame import StopFlag
from llmlora.worker.limits import Limits, limit_process


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Do the task that the configuration names: one of `DATA_TASKS`."""
    stop.ends_at_once = True  # nothing of it is worth saving
    limit_process(Limits(**config["limits"]))
    return DATA_TASKS[config["task"]](config)
