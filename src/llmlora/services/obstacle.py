"""What keeps a stopped job from going on: an error that would come again, or files that are not what they were."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from llmlora.core.errors import InputError, LlmloraError, NonFiniteLoss, error_from_dict
from llmlora.core.job import JobConfig, read_job
from llmlora.services.resume import plan_resume
from llmlora.store.jobs import JobRow

STOPPED: Final = ("paused", "failed", "canceled")
SAME_AGAIN: Final = (InputError, NonFiniteLoss)  # with the same files and settings

State = tuple[tuple[str, int, int, int], ...]


def obstacle(job: JobRow, folder: Path) -> LlmloraError | None:
    """Return the error with which a stopped job would end again, None where it can go on, or is not a stopped one."""
    if job.status not in STOPPED:
        return None
    last = None if job.error is None else error_from_dict(job.error)
    if isinstance(last, SAME_AGAIN):
        return last
    return _changed(folder) if job.kind == "train" else None


def _changed(folder: Path) -> LlmloraError | None:
    """Return what a job that trains does not find as it was; files that cannot be read are left to its worker."""
    try:
        return _of_files(folder, _state(read_job(folder)))
    except LlmloraError as error:
        return error
    except OSError:
        return None


@lru_cache(maxsize=1024)
def _of_files(folder: Path, _: State) -> LlmloraError | None:
    try:
        plan_resume(folder)
    except LlmloraError as error:
        return error_from_dict(error.to_dict())  # what is remembered holds no frames of the stack
    return None


def _state(job: JobConfig) -> State:
    """Return what tells without reading them whether the files of a job have changed."""
    return tuple(_stamp(path) for path in _files(job))


def _files(job: JobConfig) -> Iterator[Path]:
    yield from (Path(source.path) for source in (job.data, job.eval_data) if source is not None)
    yield from map(Path, job.inputs)
    base = Path(job.base_dir)
    yield from sorted(base.iterdir()) if base.is_dir() else (base,)


def _stamp(path: Path) -> tuple[str, int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (str(path), 0, 0, 0)
    return (str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns)
