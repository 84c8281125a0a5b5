"""The base model that a job was trained on, where it lies now."""

from __future__ import annotations

from pathlib import Path

from llmlora.catalog.base_model import BaseModel, resolve_base_model
from llmlora.core.errors import ExportError, LlmloraError, NotFound
from llmlora.core.job import JobConfig


def find_base(job: JobConfig, moved_base: Path | None = None) -> BaseModel:
    """Return the base model of a job, checked against the digest it was trained on.

    `moved_base` is where the user says that it lies now.

    Raises:
        NotFound: it is gone. ExportError: its files are not those the job was trained on.
    """
    names = [str(moved_base.absolute())] if moved_base else [job.base_model, job.base_dir]
    base = _first_found(names, job)
    if base.digest != job.base_digest:
        raise ExportError("export_base_changed", base_model=job.base_model, path=str(base.path))
    return base


def _first_found(names: list[str], job: JobConfig) -> BaseModel:
    failure: LlmloraError | None = None
    for name in names:
        try:
            found = resolve_base_model(name)
        except NotFound as error:
            failure = failure or error
            continue
        if found.digest == job.base_digest or name == names[-1]:
            return found
    raise NotFound("base_missing", base_model=job.base_model, path=job.base_dir) from failure
