"""The runs of jobs, between folder and index: claimed, adopted, ended. Every change is fenced by run and owner.

An owner is a supervisor, named so that any process can tell whether it lives.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmlora.core.boot_clock import Moment, now
from llmlora.core.config import TrainConfig
from llmlora.core.errors import LlmloraError, NotFound, Stopped
from llmlora.core.job import read_job, use_less_memory
from llmlora.core.layout import CONFIG_FILE, EVENTS_FILE, new_id, run_dir, run_numbers
from llmlora.services.follow import lock_holder
from llmlora.services.launch import reserve_run
from llmlora.services.outcome import outcome
from llmlora.services.processes import Process
from llmlora.services.queue_rules import Decision, RunEnd, after_run
from llmlora.store import events, jobs, runs, settings
from llmlora.store.changes import tell_status
from llmlora.store.database import Database
from llmlora.store.jobs import JobRow, RunPlace
from llmlora.store.rebuild import last_words
from llmlora.store.records import absolute_folder
from llmlora.store.runs import RunRow
from llmlora.store.statuses import ACTIVE
from llmlora.store.tail import tail, take_rest
from llmlora.store.times import utc_now

BUSY_SECONDS: Final = 2.0  # until a job is tried again in whose folder somebody works


def new_owner(process: Process | None) -> str:
    """Return the name of a new supervisor that lives in a process."""
    return f"{process.pid}:{process.started}:{process.boot_id}:{new_id()}" if process else new_id()


def is_living(owner: str) -> bool:
    """Tell whether the process of a supervisor lives."""
    pid, _, rest = owner.partition(":")
    started, _, rest = rest.partition(":")
    boot_id = rest.partition(":")[0]
    try:
        return Process(int(pid), float(started), boot_id).is_alive()
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that was taken from the queue; without a run when its folder is gone or somebody works in it."""

    job: JobRow
    folder: Path
    run: int | None


def claim(database: Database, owner: str, lease: Moment) -> Claim | None:
    """Take the first job of the queue with a new run; None when there is none.

    The run is reserved first and the lock looked at afterwards; a worker does it the other way round (`worker/frame`).
    """
    with database.write() as connection:
        job = jobs.claim_next(connection)
        if job is None:
            return None
        folder = absolute_folder(database.home, job.folder)
        if not (folder / CONFIG_FILE).is_file():
            error = NotFound("job_folder_gone", path=str(folder))
            values: dict[str, Any] = {"error": error.to_dict(), "ended_at": utc_now()}
            jobs.change_status(connection, job.id, "fail", run=job.run, reason=error.code, **values)
            return Claim(tell_status(database, connection, job.id, "fail"), folder, None)
        run = reserve_run(folder)
        if lock_holder(folder) is not None:
            run_dir(folder, run).rmdir()
            retry = now().after(BUSY_SECONDS)
            values = {"retry_at": retry.seconds, "retry_boot": retry.boot_id}
            jobs.change_status(connection, job.id, "interrupt", run=job.run, reason="folder_busy", **values)
            return Claim(tell_status(database, connection, job.id, "interrupt"), folder, None)
        runs.insert(connection, job.id, run, owner, lease)
        jobs.set_values(connection, job.id, run=run, started_at=job.started_at or utc_now())
        return Claim(tell_status(database, connection, job.id, "claim"), folder, run)


def tell_process(database: Database, job_id: str, run: int, process: Process | None) -> None:
    """Write down which process works on a run."""
    if process is not None:
        values = {"pid": process.pid, "process_start": process.started, "process_boot": process.boot_id}
        with database.write() as connection:
            runs.set_values(connection, job_id, run, **values)


def working_run(folder: Path) -> int | None:
    """Return the run that a folder's worker writes; None while it has not begun, or has said its last words."""
    begun = [run for run in run_numbers(folder) if (run_dir(folder, run) / EVENTS_FILE).is_file()]
    return begun[-1] if begun and last_words(folder, begun[-1]) is None else None


def adopt(database: Database, owner: str, lease: Moment, job: JobRow, *, by_force: bool) -> int | None:
    """Take over the run of a job whose folder somebody works in, and return it; None when it cannot be told yet.

    Without `by_force` a run stays with a supervisor that lives and has its lease.
    """
    run = working_run(absolute_folder(database.home, job.folder))
    if run is None or not _take_over(database, owner, lease, job.id, run, by_force=by_force):
        return None
    tell_process(database, job.id, run, _holder(absolute_folder(database.home, job.folder)))
    return run


def adopt_ended(database: Database, owner: str, lease: Moment, job_id: str, place: RunPlace) -> int | None:
    """Take over the newest run of a job that a command has begun and ended while nobody looked; None without one."""
    folder = absolute_folder(database.home, place.folder)
    newer = [run for run in run_numbers(folder) if run > place.run and (run_dir(folder, run) / EVENTS_FILE).is_file()]
    if not newer or lock_holder(folder) is not None:
        return None
    return newer[-1] if _take_over(database, owner, lease, job_id, newer[-1], by_force=False) else None


def _take_over(database: Database, owner: str, lease: Moment, job_id: str, run: int, *, by_force: bool) -> bool:
    """Make a run that others have started the run of its job, and look after it."""
    with database.write() as connection:
        known = jobs.lock(connection, job_id)
        if known is None or known.deleted_at is not None:
            return False
        row = runs.find(connection, job_id, run)
        if row is None:  # a command of its own has started it
            runs.insert(connection, job_id, run, owner, lease)
            jobs.set_values(connection, job_id, origin="command")
        elif by_force or not _is_looked_after(row, owner):
            if not runs.take(connection, job_id, run, owner, lease, row.owner):
                return False
            runs.reopen(connection, job_id, run)
        else:
            return False
        if known.run != run or known.status not in ACTIVE:
            jobs.set_values(connection, job_id, run=run, started_at=known.started_at or utc_now(), ended_at=None)
            jobs.change_status(connection, job_id, "adopt", error=None)
            tell_status(database, connection, job_id, "adopt")
    return True


def _holder(folder: Path) -> Process | None:
    pid = lock_holder(folder)
    return Process.of(int(pid)) if pid is not None and pid.isdigit() else None


def reclaim(database: Database, owner: str, lease: Moment, job: JobRow) -> bool:
    """Take over the run of an active job that nobody works on; False while its supervisor lives and has the lease."""
    with database.write() as connection:
        row = runs.find(connection, job.id, job.run)
        if row is None or row.ended_at is not None:  # claimed, but never begun
            if jobs.change_status(connection, job.id, "interrupt", run=job.run):
                tell_status(database, connection, job.id, "interrupt")
            return False
        if _is_looked_after(row, owner):
            return False
        return row.owner == owner or runs.take(connection, job.id, job.run, owner, lease, row.owner)


def _is_looked_after(row: RunRow, owner: str) -> bool:
    """Tell whether another supervisor lives that has the lease of a run."""
    if row.owner is None or row.owner == owner or row.lease is None or row.lease.has_passed(now()):
        return False
    return is_living(row.owner)


def begin(database: Database, job: JobRow) -> None:
    """Say that a worker has begun with its work proper."""
    with database.write() as connection:
        if jobs.change_status(connection, job.id, "begin", run=job.run, reason=None):
            tell_status(database, connection, job.id, "begin")


def run_end(folder: Path, run: int, exit_code: int | None, reason: str | None = None) -> RunEnd:
    """Return how a run has ended that nobody works on any more; `reason` says why the queue itself ended it."""
    ended = outcome(folder, run, exit_code)
    return RunEnd(result=ended.result, error=ended.error, is_silent=ended.is_silent, reason=reason)


def settle(
    database: Database, owner: str, job_id: str, run: int, exit_code: int | None, reason: str | None = None
) -> JobRow | None:
    """Write down how a run has ended and what follows; None when somebody else has, or looks after it now."""
    tail(database, job_id, run)
    with database.read() as connection:
        before = jobs.find(connection, job_id)
    if before is None:
        return None
    end = run_end(absolute_folder(database.home, before.folder), run, exit_code, reason)
    return end_run(database, owner, job_id, run, end, exit_code)


def end_run(
    database: Database, owner: str, job_id: str, run: int, end: RunEnd, exit_code: int | None = None
) -> JobRow | None:
    """Write down the end of a run and what follows; None when somebody else has, or looks after it now."""
    with database.write() as connection:
        job = jobs.lock(connection, job_id)
        if job is None:
            return None
        folder = absolute_folder(database.home, job.folder)
        known = [row for row in runs.of_job(connection, job_id) if row.run <= run]
        may_shrink = settings.get_all(connection).get("auto_shrink", True)
        decision = after_run(job, known, end, _train_config(job, folder) if may_shrink else None)
        if not runs.end(connection, job_id, run, owner, exit_code=exit_code, **_of_run(end, decision)):
            return None
        change = None if decision.settings is None else use_less_memory(folder, run, decision.settings)
        changed = jobs.change_status(
            connection, job_id, decision.transition, run=run, reason=decision.reason, **_of_job(end, decision)
        )
        take_rest(database, connection, job_id, run)
        if change is not None:
            data = change.model_dump(include={"before", "after"})
            events.add_queue_event(connection, database.dialect, job_id, run, "less_memory", data)
        return tell_status(database, connection, job_id, decision.transition) if changed else job


def _train_config(job: JobRow, folder: Path) -> TrainConfig | None:
    """Return the settings of a training job, None for other work and where they cannot be read."""
    try:
        return read_job(folder).train if job.kind == "train" else None
    except (LlmloraError, OSError):
        return None


def _of_run(end: RunEnd, decision: Decision) -> dict[str, Any]:
    how = "succeeded" if end.error is None else "interrupted" if _is_interrupted(end) else "failed"
    return {
        "outcome": how,
        "reason": decision.reason,
        "error": None if end.error is None else end.error.to_dict(),
    }


def _is_interrupted(end: RunEnd) -> bool:
    return end.is_silent or isinstance(end.error, Stopped)


def _of_job(end: RunEnd, decision: Decision) -> dict[str, Any]:
    values: dict[str, Any] = {"stop_request": None, "num_retries": decision.num_retries}
    if decision.wait_seconds:
        retry = now().after(decision.wait_seconds)
        values |= {"retry_at": retry.seconds, "retry_boot": retry.boot_id}
    else:
        values |= {"retry_at": None, "retry_boot": None}
    if decision.transition in ("succeed", "fail", "stop_canceled"):
        values["ended_at"] = utc_now()
    if end.error is None:
        values |= {"result": end.result, "error": None}
    elif decision.error is not None:
        values["error"] = decision.error.to_dict()
    return values


def requeue_due(database: Database) -> int:
    """Put interrupted jobs back into the queue whose time to wait is over, and return how many."""
    with database.read() as connection:
        due = jobs.due_to_retry(connection, now())
    for job_id in due:
        with database.write() as connection:
            known = jobs.find(connection, job_id)
            why = None if known is None else known.reason
            if jobs.change_status(connection, job_id, "requeue", reason=why, retry_at=None, retry_boot=None):
                tell_status(database, connection, job_id, "requeue")
    return len(due)


def active_runs(database: Database) -> list[tuple[JobRow, RunRow | None]]:
    """Return the jobs that somebody works on, each with its run."""
    with database.read() as connection:
        return [(job, runs.find(connection, job.id, job.run)) for job in jobs.with_status(connection, ACTIVE)]
