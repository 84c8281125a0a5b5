"""Where the files of an interrupted job lie now, if they were moved: base model, data, template, first adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from llmlora.catalog.base_model import BaseModel
from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.job import DataSource, JobConfig, in_new_places
from llmlora.services.base_models import open_base_model
from llmlora.services.recipe import adapter_dir, base_of_job

FILES = {"chat_template": "job_template_gone", "init_adapter": "job_adapter_gone"}  # settings that name files of a job


@dataclass(frozen=True)
class NewPlaces:
    """What `--resume` is told of the new places; None where nothing moved."""

    base_model: str | None = None
    data: Path | None = None
    eval_data: Path | None = None
    files: Mapping[str, Path] = field(default_factory=dict)  # those of FILES that were moved

    @classmethod
    def of(
        cls,
        base_model: str | None,
        data: str | Path | None,
        eval_data: str | Path | None,
        **files: str | Path | None,
    ) -> NewPlaces:
        """Return the places as they are given to `train`; `files` are chat_template and init_adapter."""
        given = {name: Path(place).expanduser() for name, place in files.items() if place}
        return cls(base_model, Path(data) if data else None, Path(eval_data) if eval_data else None, given)

    def applied(self, job: JobConfig, folder: Path) -> tuple[JobConfig, BaseModel]:
        """Return the job of a folder as it stands now, and its base model; their digests are not checked yet.

        Raises:
            NotFound: `job_data_gone`, `job_eval_data_gone`, `job_base_gone`, `job_template_gone` or `job_adapter_gone`:
                the hint says how to name the new place.
            ConfigError: `no_eval_data` or `no_file_of_job`, a new place for what the job does not have.
        """
        if self.eval_data is not None and job.eval_data is None:
            raise ConfigError("no_eval_data", folder=str(folder))
        base = self._base(job, folder)
        data = _moved(job.data, self.data, "job_data_gone", folder)
        held_out = _moved(job.eval_data, self.eval_data, "job_eval_data_gone", folder) if job.eval_data else None
        name = base.name if self.base_model is not None else job.base_model
        places = {"base_model": name, "base_dir": str(base.path.absolute()), "data": data, "eval_data": held_out}
        return self._with_files(job.model_copy(update=places), folder), base

    def _with_files(self, job: JobConfig, folder: Path) -> JobConfig:
        """Return the job with template and first adapter in their places."""
        places = dict(job.places)
        for name, place in self.files.items():
            if not _files_of(job, name):
                raise ConfigError("no_file_of_job", option=f"--{name.replace('_', '-')}", folder=str(folder))
            places[name] = str(_adapter(place) if name == "init_adapter" else place.absolute())
        moved = in_new_places(job.model_copy(update={"places": places}))
        for name, code in FILES.items():
            gone = next((path for path in _files_of(moved, name) if not path.is_file()), None)
            if gone is not None:
                raise NotFound(code, path=str(gone), folder=str(folder))
        return moved

    def _base(self, job: JobConfig, folder: Path) -> BaseModel:
        if self.base_model is not None:
            return open_base_model(self.base_model)
        try:
            return base_of_job(job)
        except NotFound as error:
            raise NotFound("job_base_gone", path=job.base_dir, folder=str(folder)) from error


STAYED = NewPlaces()


def _files_of(job: JobConfig, name: str) -> list[Path]:
    """Return the files that a setting of a job names, with their folder or alone; a bundled template is none."""
    value = getattr(job.train, name)
    return [Path(path) for path in job.inputs if value is not None and Path(path).is_relative_to(value)]


def _adapter(place: Path) -> Path:
    """Return the adapter folder that is meant, also by its job's folder; another path stays as it is."""
    try:
        return adapter_dir(place).absolute()
    except NotFound:
        return place.absolute()


def _moved(source: DataSource, place: Path | None, code: str, folder: Path) -> DataSource:
    path = place.expanduser().absolute() if place is not None else Path(source.path)
    if not path.is_file():
        raise NotFound(code, path=str(path), folder=str(folder))
    return source.model_copy(update={"path": str(path)})
