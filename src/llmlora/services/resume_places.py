"""Where the base model and the data of an interrupted job lie now, if they were moved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llmlora.catalog.base_model import BaseModel, resolve_base_model
from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.job import DataSource, JobConfig
from llmlora.services.recipe import base_of_job


@dataclass(frozen=True)
class NewPlaces:
    """What `--resume` is told of the new places; None where nothing moved."""

    base_model: str | None = None
    data: Path | None = None
    eval_data: Path | None = None

    @classmethod
    def of(cls, base_model: str | None, data: str | Path | None, eval_data: str | Path | None) -> NewPlaces:
        """Return the places as they are given to `train`."""
        return cls(base_model, Path(data) if data else None, Path(eval_data) if eval_data else None)

    def applied(self, job: JobConfig, folder: Path) -> tuple[JobConfig, BaseModel]:
        """Return the job of a folder as it stands now, and its base model; their digests are not checked yet.

        Raises:
            NotFound: `job_data_gone`, `job_eval_data_gone` or `job_base_gone`: the hint says how to name the new place.
            ConfigError: `no_eval_data`, a new place for rows that the job does not have.
        """
        if self.eval_data is not None and job.eval_data is None:
            raise ConfigError("no_eval_data", folder=str(folder))
        base = self._base(job, folder)
        data = _moved(job.data, self.data, "job_data_gone", folder)
        held_out = _moved(job.eval_data, self.eval_data, "job_eval_data_gone", folder) if job.eval_data else None
        name = base.name if self.base_model is not None else job.base_model
        places = {"base_model": name, "base_dir": str(base.path.absolute()), "data": data, "eval_data": held_out}
        return job.model_copy(update=places), base

    def _base(self, job: JobConfig, folder: Path) -> BaseModel:
        if self.base_model is not None:
            return resolve_base_model(self.base_model)
        try:
            return base_of_job(job)
        except NotFound as error:
            raise NotFound("job_base_gone", path=job.base_dir, folder=str(folder)) from error


STAYED = NewPlaces()


def _moved(source: DataSource, place: Path | None, code: str, folder: Path) -> DataSource:
    path = place.expanduser().absolute() if place is not None else Path(source.path)
    if not path.is_file():
        raise NotFound(code, path=str(path), folder=str(folder))
    return source.model_copy(update={"path": str(path)})
