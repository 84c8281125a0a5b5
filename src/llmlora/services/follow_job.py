"""Follow a job from any process, over all its runs, as long as somebody looks after it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Final

from llmlora.core.errors import DependencyError, Stopped, error_from_dict
from llmlora.services.follow import Event, follow
from llmlora.services.queue import Queue
from llmlora.services.workspace import is_looked_after, look_once
from llmlora.store.jobs import JobRow
from llmlora.store.statuses import ACTIVE, ENDED
from llmlora.store.tail import LAST_WORDS

LOOK_SECONDS: Final = 0.2
ALONE_SECONDS: Final = 1.0  # between looks where this process looks itself


def follow_run(queue: Queue, job: JobRow) -> Iterator[Event]:
    """Yield the events of a job's run as they come; its last words, and its end, once the index has them.

    Raises:
        NotFound: the job was deleted meanwhile.
    """
    last_words = None
    for event in follow(queue.folder_of(job), job.run):
        if event["type"] == LAST_WORDS:
            last_words = event
        else:
            yield event
    _wait_until_settled(queue, job.id, job.run)
    if last_words is not None:
        yield last_words


def _wait_until_settled(queue: Queue, job_id: str, run: int) -> None:
    while True:
        if not is_looked_after():
            look_once(queue.database)
        job = queue.get(job_id)
        if job.run != run or not job.is_active:
            return
        time.sleep(LOOK_SECONDS)


def follow_job(queue: Queue, job_id: str, after_run: int = 0) -> Iterator[Event]:
    """Yield the events of a job as they come, and a `status` event when its runs have not said what its status is.

    It ends when the job has ended or is paused, or waits while nobody looks after the queue. Runs up to `after_run` are
    passed over.

    Raises:
        NotFound: there is no such job, or it was deleted meanwhile.
    """
    told = ""
    while True:
        is_alone = not is_looked_after()
        if is_alone:
            look_once(queue.database)
        job = queue.get(job_id)
        if job.run > after_run:
            after_run = job.run
            for event in follow_run(queue, job):
                told = event["status"] if event["type"] == LAST_WORDS else ""
                yield event
            continue
        if job.status not in (*ACTIVE, told):
            told = job.status
            yield {"type": "status", "status": job.status, "reason": job.reason, "ahead": queue.num_ahead(job_id)}
        if job.status in (*ENDED, "paused") or (is_alone and job.status not in ACTIVE):
            return
        time.sleep(ALONE_SECONDS if is_alone else LOOK_SECONDS)


def require_success(job: JobRow) -> None:
    """Raise what keeps a job, followed to its end, from having succeeded.

    Raises:
        LlmloraError: its own error. Stopped: `job_canceled`, `job_paused`. DependencyError: `nobody_looks_after`.
    """
    if job.status == "succeeded":
        return
    if job.error is not None:
        raise error_from_dict(job.error)
    if job.status == "canceled":
        raise Stopped("job_canceled", id=job.id)
    if job.status == "paused":
        raise Stopped("job_paused", id=job.id, has_checkpoint=True)
    raise DependencyError("nobody_looks_after", id=job.id)
