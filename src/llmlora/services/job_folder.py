"""The folder of a training job: made from a plan, and taken away again when its run was refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from llmlora.core.errors import Conflict
from llmlora.core.job import DataSource, JobConfig, create_job
from llmlora.core.layout import checkpoint_dirs, jobs_dir, replays_dir, scratch_dir
from llmlora.core.publish import disk_errors
from llmlora.services.plan_training import PlannedJob, check_free


def write_training(planned: PlannedJob, folder: Path | None = None) -> Path:
    """Make the folder of a planned job, in the workspace when none is named, and return it; nothing runs.

    Raises: those of `write_job_folder`.
    """
    return write_job_folder(planned.job, folder)


def write_job_folder(job: JobConfig, folder: Path | None = None) -> Path:
    """Make the folder of a job, in the workspace when none is named, and return it; nothing runs.

    Rows that its plan has mixed are kept from now on. Those of a probe, whose folder goes again, are not.

    Raises:
        Conflict: the folder exists and is not empty. ResourceError: it cannot be written.
    """
    folder = (folder or jobs_dir() / job.id).absolute()
    check_free(folder)
    try:
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            create_job(folder, job if _is_passing(folder) else _with_kept_rows(job))
    except FileExistsError as error:
        raise Conflict("folder_not_empty", path=str(folder)) from error
    return folder


def _is_passing(path: Path) -> bool:
    return path.is_relative_to(scratch_dir().absolute())


def _with_kept_rows(job: JobConfig) -> JobConfig:
    sources = {"data": job.data, "eval_data": job.eval_data}
    return job.model_copy(update={name: source and _kept(source) for name, source in sources.items()})


def _kept(source: DataSource) -> DataSource:
    """Return a data file where it stays; its name tells what is in it, so another job may have kept it already."""
    path = Path(source.path)
    if not _is_passing(path):
        return source
    place = replays_dir().absolute() / path.name
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_file():
        os.replace(path, place)
    return source.model_copy(update={"path": str(place)})


def remove_refused(folder: Path, keeps_folder: bool) -> None:
    """Take away what a run left that was refused before its first checkpoint, so that the corrected one finds it free.

    `keeps_folder` leaves the folder itself, which was there before the job.
    """
    if checkpoint_dirs(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    if keeps_folder:
        folder.mkdir(exist_ok=True)
