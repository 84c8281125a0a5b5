"""What keeps a stopped job from going on: an error that would come again, or files that are not what they were."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from llmlora.core.errors import InputError, LlmloraError, NonFiniteLoss, error_from_dict
from llmlora.core.job import JobConfig, read_job
from llmlora.core.layout import CONFIG_FILE
from llmlora.services.queue import Queue
from llmlora.services.resume import plan_resume
from llmlora.store.jobs import JobRow
from llmlora.store.statuses import TRANSITIONS

STOPPED: Final = ("paused", "failed", "canceled")
SAME_AGAIN: Final = (InputError, NonFiniteLoss)  # with the same files and settings
ELSEWHERE: Final = ("download", "register")  # what another server refuses, it may take when it is a newer one

Stamp = tuple[str, int, int, int]
State = tuple[Stamp, ...]


def obstacle(job: JobRow, folder: Path) -> LlmloraError | None:
    """Return the error with which a stopped job would end again, None where it can go on, or is not a stopped one."""
    if job.status not in STOPPED:
        return None
    last = None if job.error is None else error_from_dict(job.error)
    if isinstance(last, SAME_AGAIN) and job.kind not in ELSEWHERE:
        return last
    return _changed(folder) if job.kind == "train" else None


def resume_job(queue: Queue, job_id: str) -> JobRow:
    """Let a paused job go on from its newest checkpoint when its turn comes.

    Raises:
        NotFound: no such job. Conflict: it is not paused. What `obstacle` says: it would end again with that error.
    """
    _refuse_in_vain(queue, job_id, "resume")
    return queue.resume(job_id)


def retry_job(queue: Queue, job_id: str) -> JobRow:
    """Let a failed or canceled job go on from its newest checkpoint; raises as `resume_job`."""
    _refuse_in_vain(queue, job_id, "retry")
    return queue.retry(job_id)


def _refuse_in_vain(queue: Queue, job_id: str, action: str) -> None:
    job = queue.get(job_id)
    in_the_way = obstacle(job, queue.folder_of(job)) if job.status in TRANSITIONS[action].sources else None
    if in_the_way is not None:
        raise in_the_way


def _changed(folder: Path) -> LlmloraError | None:
    """Return what a job that trains does not find as it was; files that cannot be read are left to its worker."""
    try:
        return _of_files(folder, _state(_job(folder, _stamp(folder / CONFIG_FILE))))
    except LlmloraError as error:
        return error
    except OSError:
        return None


@lru_cache(maxsize=1024)
def _job(folder: Path, _: Stamp) -> JobConfig:
    return read_job(folder)


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


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        return (str(path), 0, 0, 0)
    return (str(path), found.st_size, found.st_mtime_ns, found.st_ctime_ns)
