"""`llmlora jobs pause | resume | cancel | retry | clone | rename | delete | undo-delete`: changes of mind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final

import typer

from llmlora.cli.completion import deleted_job_words, job_words
from llmlora.cli.next_command import say_next
from llmlora.cli.output import print_json, say, warn
from llmlora.core.locale import translate
from llmlora.services.find import find_job, short_id
from llmlora.services.job_documents import job_summary
from llmlora.services.obstacle import resume_job, retry_job
from llmlora.services.queue import Queue
from llmlora.services.workspace import is_looked_after, look_once, open_workspace
from llmlora.store.jobs import JobRow

Job = Annotated[str, typer.Argument(metavar="JOB", help=translate("jobs.option.job"), autocompletion=job_words)]
Deleted = Annotated[
    str, typer.Argument(metavar="JOB", help=translate("jobs.option.job"), autocompletion=deleted_job_words)
]
Json = Annotated[bool, typer.Option("--json", help=translate("data.option.json"))]
NewName = Annotated[str, typer.Argument(metavar="NAME", help=translate("jobs.option.new_name"))]
CopyName = Annotated[str | None, typer.Option("--name", metavar="NAME", help=translate("jobs.option.copy_name"))]


def pause(word: Job, as_json: Json = False) -> None:
    """Keep a job from starting, or let it save and stop."""
    job = _changed(word, Queue.pause, as_json)
    if job is not None:
        say("jobs.pausing" if job.is_active else "jobs.paused", **_named(job))
        say_next("jobs resume {job!q}", job=short_id(job.id))


def resume(word: Job, as_json: Json = False) -> None:
    """Let a paused job go on."""
    tell_queued(_changed(word, resume_job, as_json), "jobs.resumed")


def cancel(word: Job, as_json: Json = False) -> None:
    """End a job for good, keeping what it has saved."""
    job = _changed(word, Queue.cancel, as_json)
    if job is not None:
        say("jobs.canceling" if job.is_active else "jobs.canceled", **_named(job))
        say_next("jobs retry {job!q}", job=short_id(job.id))


def retry(word: Job, as_json: Json = False) -> None:
    """Let a failed or canceled job go on."""
    tell_queued(_changed(word, retry_job, as_json), "jobs.retried")


def clone(word: Job, name: CopyName = None, as_json: Json = False) -> None:
    """Put the same work into the queue once more."""
    tell_queued(_changed(word, lambda queue, job_id: queue.clone(job_id, name=name), as_json), "jobs.cloned")


def rename(word: Job, name: NewName, as_json: Json = False) -> None:
    """Give a job another name."""
    job = _changed(word, lambda queue, job_id: queue.rename(job_id, name), as_json)
    if job is not None:
        say("jobs.renamed", **_named(job))


def delete(word: Job, as_json: Json = False) -> None:
    """Delete a job with its folder; it can be had back for ten seconds."""
    job = _changed(word, Queue.delete, as_json)
    if job is not None:
        say("jobs.deleted", **_named(job))
        say_next("jobs undo-delete {job!q}", job=short_id(job.id))


def undo_delete(word: Deleted, as_json: Json = False) -> None:
    """Have a job back that was deleted a moment ago."""
    job = _changed(word, Queue.undo_delete, as_json, deleted=True)
    if job is not None:
        say("jobs.undone", **_named(job))


CHANGES: Final[dict[str, Callable[..., None]]] = {
    "pause": pause,
    "resume": resume,
    "cancel": cancel,
    "retry": retry,
    "clone": clone,
    "rename": rename,
    "delete": delete,
    "undo_delete": undo_delete,
}


def _changed(
    word: str, change: Callable[[Queue, str], JobRow], as_json: bool, *, deleted: bool = False
) -> JobRow | None:
    """Change a job and return it, or print its document and return None."""
    with open_workspace() as queue:
        job = change(queue, find_job(queue, word, deleted=deleted))
        if job.stop_request is not None and not is_looked_after():
            look_once(queue.database)  # nobody else passes the wish on to the worker
        if not as_json:
            return job
        print_json("job_changed", job_summary(queue, job))
        return None


def _named(job: JobRow) -> dict[str, str]:
    return {"name": job.name, "id": short_id(job.id)}


def tell_queued(job: JobRow | None, key: str) -> None:
    """Say that a job waits for its turn, and how to follow it, or that nobody would start it."""
    if job is None:
        return
    say(key, **_named(job))
    if is_looked_after():
        say_next("jobs logs -f {job!q}", job=short_id(job.id))
    else:
        warn("jobs.alone", count=1)
        say_next("serve")


def tell_detached(job: JobRow, as_json: bool) -> None:
    """Say that a job was queued, and how to follow it."""
    if not as_json:
        tell_queued(job, "jobs.queued")
        return
    with open_workspace() as queue:
        print_json("job_changed", job_summary(queue, job))


def warn_if_alone(found: Sequence[Mapping[str, Any]]) -> None:
    """Warn that queued jobs wait for somebody who starts them, where nobody does."""
    waiting = sum(job["status"] in ("queued", "interrupted") for job in found)
    if waiting and not is_looked_after():
        warn("jobs.alone", count=waiting)
        say_next("serve")
