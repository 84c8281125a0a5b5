"""The mixed rows of a training job: files in its folder, named by what is in them, that go where the folder goes."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path

from llmlora.core.job import SCHEMA, DataSource, JobConfig, folder_schema
from llmlora.core.layout import ROWS_DIR, scratch_dir
from llmlora.core.publish import fsync_path, link_or_copy


def keep_rows(job: JobConfig, folder: Path, undo: ExitStack) -> None:
    """Make the rows that a job's plan has mixed, or that another job holds, its own; `undo` takes that back."""
    earlier = None if job.replay is None else job.replay.data
    for source in (job.data, job.eval_data, earlier):
        if source is not None and _is_mixed(source):
            _keep(Path(source.path), folder / ROWS_DIR, undo)


def copy_rows(source: Path, folder: Path) -> None:
    """Let a folder have the rows of another job's folder as well; nothing where that has none."""
    for path in sorted((source / ROWS_DIR).glob("*")):
        _keep(path, folder / ROWS_DIR, ExitStack())


def _is_mixed(source: DataSource) -> bool:
    """Tell whether a file goes with the plan or the job that holds it."""
    path = Path(source.path)
    is_of_job = path.parent.name == ROWS_DIR and folder_schema(path.parent.parent) == SCHEMA
    return is_of_job or path.is_relative_to(scratch_dir().absolute())


def _keep(path: Path, place: Path, undo: ExitStack) -> None:
    """Put a file that is named by what is in it into a folder; where the disk can, all jobs share its bytes."""
    place.mkdir(exist_ok=True)
    undo.callback(_remove_empty, place)
    try:
        link_or_copy(path, place / path.name)
    except FileExistsError:
        return
    undo.callback((place / path.name).unlink, missing_ok=True)
    fsync_path(place)


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
