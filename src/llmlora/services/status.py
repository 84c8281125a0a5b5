"""What a job folder says about itself: the fixed status words, read from its newest run and its lock."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from llmlora.core.events import read_events
from llmlora.core.layout import EVENTS_FILE, run_dir, run_numbers
from llmlora.services.follow import lock_holder

Status = Literal["queued", "running", "interrupted", "succeeded", "failed"]


def job_status(folder: Path) -> Status:
    """Return the status of a job: how its newest run ended, else whether a worker still holds the folder.

    A run that ended without a word and holds no lock was killed; it can be resumed, so it counts as interrupted.
    """
    runs = run_numbers(folder)
    if not runs:
        return "running" if lock_holder(folder) is not None else "queued"
    ended: Status | None = None
    for event in read_events(run_dir(folder, runs[-1]) / EVENTS_FILE):
        if event["type"] == "run_ended":
            ended = event["status"]
    return ended or ("running" if lock_holder(folder) is not None else "interrupted")
