"""A set of jobs on the same data that differ in rank, learning rate and dropout, to be combined afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.core.presets import ENSEMBLE
from llmlora.services.follow import OnEvent
from llmlora.services.plan_training import PlannedJob, plan_training
from llmlora.services.train_request import training_request


def plan_ensemble(
    base_model: str | None,
    data: str | Path | None,
    output: Path,
    settings: Mapping[str, Any],
    on_event: OnEvent | None = None,
) -> list[tuple[Path, PlannedJob]]:
    """Return the jobs of the set with their folders below `output`, all of them checked; nothing is written.

    `settings` are for all three, and go before those that the set gives.
    Raises the errors of `training_request` and `plan_training`.
    """
    planned = []
    for number, member in enumerate(ENSEMBLE, 1):
        folder = output / f"member-{number}"
        request = training_request(base_model, data, None, settings={**member, **settings}, out=folder)
        planned.append((folder, plan_training(request, on_event=on_event if number == 1 else None)))
    return planned
