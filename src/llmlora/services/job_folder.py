"""The folder of a training job: made from a plan, and taken away again when its run was refused."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from pathlib import Path

from llmlora.core.errors import Conflict
from llmlora.core.job import JobConfig, create_job, with_own_rows
from llmlora.core.layout import checkpoint_dirs, jobs_dir, scratch_dir
from llmlora.core.publish import disk_errors
from llmlora.services.job_rows import keep_rows
from llmlora.services.outside_readers import note_reader
from llmlora.services.plan_training import PlannedJob, check_free


def write_training(planned: PlannedJob, folder: Path | None = None) -> Path:
    """Make the folder of a planned job, in the workspace when none is named, and return it; nothing runs.

    Raises: those of `write_job_folder`.
    """
    return write_job_folder(planned.job, folder)


def write_job_folder(job: JobConfig, folder: Path | None = None) -> Path:
    """Make the folder of a job, in the workspace when none is named, and return it; nothing runs.

    Rows that its plan has mixed, or that another job holds, become its own, and go with it. The `config.json` comes
    last: a folder without one is no job.

    Raises:
        Conflict: the folder exists and is not empty. ResourceError: it cannot be written.
    """
    folder = (folder or jobs_dir() / job.id).absolute()
    check_free(folder)
    with disk_errors(folder), ExitStack() as undo:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not folder.is_relative_to(scratch_dir().absolute()):  # a probe is over before the rows of its plan go
                keep_rows(job, folder, undo)
                note_reader(with_own_rows(job, folder), folder)
            create_job(folder, with_own_rows(job, folder))
        except FileExistsError as error:
            raise Conflict("folder_not_empty", path=str(folder)) from error
        undo.pop_all()
    return folder


def remove_refused(folder: Path, keeps_folder: bool) -> None:
    """Take away what a run left that was refused before its first checkpoint, so that the corrected one finds it free.

    `keeps_folder` leaves the folder itself, which was there before the job.
    """
    if checkpoint_dirs(folder):
        return
    shutil.rmtree(folder, ignore_errors=True)
    if keeps_folder:
        folder.mkdir(exist_ok=True)
