"""Many training jobs at once, all of them or none: listed, or one of them varied."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import InputError
from llmlora.services.job_folder import write_training
from llmlora.services.queue import Queue
from llmlora.services.replay import MixingPlace
from llmlora.services.training_jobs import PlannedWish, TrainingWish, forget_mixture, plan_wish
from llmlora.services.wish_problems import WishProblems
from llmlora.store.jobs import JobRow, NewJob

MOST_JOBS: Final = 50
FIELDS: Final = {"dataset_ids": "dataset_id", "dataset_id": "dataset_id", "base_model": "base_model"}
PRESETS: Final = ("preset", "training_preset")


def varied(base: Mapping[str, Any], vary: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Return one job for every combination of values, named after what differs; other names than fields are settings.

    Raises:
        InputError: `batch_size`, more combinations than one request may ask for, or none.
    """
    num_jobs = 1
    for values in vary.values():
        num_jobs *= len(values)
    _check_size(num_jobs)
    return [_combined(base, dict(zip(vary, values, strict=True))) for values in itertools.product(*vary.values())]


def _combined(base: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    settings = base.get("settings") or {}
    if not isinstance(settings, Mapping):
        return dict(base)  # refused with its field as soon as it is checked
    job, words = {**base, "settings": dict(settings)}, []
    for name, value in chosen.items():
        if name in FIELDS or name in PRESETS:
            job[FIELDS.get(name, name)] = value
        else:
            job["settings"][name] = value
        if name not in ("dataset_ids", "dataset_id"):  # a dataset gives its own name
            words.append(f"{name}={value}")
    given = base.get("name")
    if given or words:
        job["name"] = " ".join([*([given] if given else []), *words])[:200]
    return job


def submit_batch(queue: Queue, wishes: Sequence[TrainingWish]) -> list[JobRow]:
    """Check all jobs and put all of them into the queue, or none.

    Raises:
        InputError: `batch_size`; `batch_refused` with `problems`, each with its field such as `jobs.2.settings.r`.
    """
    _check_size(len(wishes))
    with MixingPlace() as place:
        return _submit_all(queue, _planned(queue, wishes, place))


def _planned(queue: Queue, wishes: Sequence[TrainingWish], place: MixingPlace) -> list[PlannedWish]:
    problems = WishProblems()
    planned = [
        problems.attempt("settings", lambda wish=wish: plan_wish(queue, wish, place), prefix=f"jobs.{index}.")  # type: ignore[misc]
        for index, wish in enumerate(wishes)
    ]
    good = [item for item in planned if item is not None]
    if problems.items:
        for item in good:
            forget_mixture(queue, item)
        first = problems.items[0]
        where = {"field": first["field"], "detail": first["detail"]}
        raise InputError("batch_refused", count=len(wishes), problems=problems.items, **where)
    return good


def _submit_all(queue: Queue, planned: Sequence[PlannedWish]) -> list[JobRow]:
    folders: list[Path] = []
    try:
        made: list[NewJob] = []
        for item in planned:
            folders.append(write_training(item.job))
            made.append(queue.new_job("train", folders[-1], name=item.name, datasets=item.uses, job_id=item.job.job.id))
        return queue.submit_all(made)
    except BaseException:
        for folder in folders:
            shutil.rmtree(folder, ignore_errors=True)
        for item in planned:
            forget_mixture(queue, item)
        raise


def _check_size(num_jobs: int) -> None:
    if not 1 <= num_jobs <= MOST_JOBS:
        raise InputError("batch_size", count=num_jobs, limit=MOST_JOBS)
