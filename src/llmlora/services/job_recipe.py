"""The recipe of a training job, which `llmlora train` takes as it stands; and the same job once more, changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from llmlora.catalog.base_model import bundled_models
from llmlora.catalog.job_inputs import check_job_inputs
from llmlora.core.config import canonical_name
from llmlora.core.errors import ConfigError
from llmlora.core.job import JobConfig, read_job
from llmlora.core.next_run import CHOSEN
from llmlora.data.read import read_options
from llmlora.services.plan_training import PlannedJob, plan_training
from llmlora.services.queue import Queue
from llmlora.services.recipe import base_of_job
from llmlora.services.train_request import TrainRequest
from llmlora.services.training_jobs import check_kept, refuse_paths, submit_planned
from llmlora.store.jobs import JobRow


def recipe_of(folder: Path) -> dict[str, Any]:
    """Return the recipe of a job: model, data and every setting that has a value.

    Raises:
        NotFound: no training job. InputError: `damaged_job`.
    """
    return recipe_of_job(read_job(folder))


def recipe_of_job(job: JobConfig) -> dict[str, Any]:
    """Return the recipe of a job as `recipe_of` does."""
    settings = {name: value for name, value in job.to_json()["train"].items() if value is not None}
    return {"base_model": _model(job), **_data(job), **settings}


def recipe_yaml(recipe: Mapping[str, Any]) -> str:
    """Return a recipe as YAML."""
    return yaml.safe_dump(dict(recipe), allow_unicode=True, sort_keys=False)


def clone_with_changes(queue: Queue, job_id: str, name: str | None, changes: Mapping[str, Any]) -> JobRow:
    """Plan a training job anew as it was asked for, but for some settings, and put it into the queue.

    What nobody chose is recommended anew; a change to None takes back what was chosen.

    Raises:
        NotFound: the job. ConfigError: `clone_settings_of_training`, `clone_of_combination`, or what is wrong with the
        settings.
        Conflict: model or data are not those of the job any more. Those of `plan_training`.
    """
    row = queue.get(job_id)
    if row.kind != "train":
        raise ConfigError("clone_settings_of_training", kind=row.kind)
    job = read_job(queue.folder_of(row))
    if job.combination is not None:
        raise ConfigError("clone_of_combination")
    refuse_paths(changes)
    planned = _plan_changed(queue, job, changes)
    return submit_planned(queue, planned, name or row.name, row.datasets)


def _plan_changed(queue: Queue, job: JobConfig, changes: Mapping[str, Any]) -> PlannedJob:
    base = base_of_job(job)
    check_job_inputs(job, base)
    changed = {canonical_name(key) for key in changes}
    stored = job.to_json()["train"]
    chosen = {key: stored[key] for key, origin in job.reasons.items() if origin in CHOSEN and key in stored}
    request = TrainRequest(
        _model(job),
        Path(job.data.path),
        None if job.eval_data is None else Path(job.eval_data.path),
        recipe={key: value for key, value in chosen.items() if key not in changed},
        settings={key: value for key, value in changes.items() if value is not None},
        read=read_options(job.data.format, job.data.columns, job.data.encoding),
        replay=job.replay,
    )
    return plan_training(request, check=check_kept(queue))


def _model(job: JobConfig) -> str:
    return job.base_model if job.base_model in bundled_models() else job.base_dir


def _data(job: JobConfig) -> dict[str, Any]:
    read = {"format": job.data.format, "columns": job.data.columns, "encoding": job.data.encoding}
    eval_data = None if job.eval_data is None else job.eval_data.path
    values = {"data": job.data.path, "eval_data": eval_data, **read}
    return {name: value for name, value in values.items() if value}
