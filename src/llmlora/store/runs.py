"""Runs: the attempts of a job. Their number is the fencing token, their lease says who looks after them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from llmlora.core.boot_clock import Moment
from llmlora.store.tables import runs
from llmlora.store.times import utc_now


@dataclass(frozen=True, slots=True)
class RunRow:
    """An attempt as the index has it."""

    job_id: str
    run: int
    owner: str | None  # the supervisor; None for a run that a command of its own has started
    lease: Moment | None
    pid: int | None
    process_start: float | None
    process_boot: str | None
    started_at: str
    ended_at: str | None
    exit_code: int | None  # None also for a process that was nobody's child any more
    outcome: str | None  # the status it left the job in
    reason: str | None  # a code
    error: dict[str, Any] | None
    from_checkpoint: str | None
    from_step: int | None
    is_exact: bool | None  # whether the checkpoint gave exactly the uninterrupted state; None without one
    last_step: int | None
    last_seq: int
    num_bytes: int  # of events.jsonl that the index knows


def insert(connection: Connection, job_id: str, run: int, owner: str | None, lease: Moment | None) -> None:
    """Add a run."""
    values = {"job_id": job_id, "run": run, "owner": owner, "started_at": utc_now(), "last_seq": 0, "num_bytes": 0}
    connection.execute(runs.insert(), {**values, **_lease(lease)})


def find(connection: Connection, job_id: str, run: int) -> RunRow | None:
    """Return a run, None when the index has none of that number."""
    row = connection.execute(select(runs).where(runs.c.job_id == job_id, runs.c.run == run)).first()
    return None if row is None else _row(row)


def of_job(connection: Connection, job_id: str) -> list[RunRow]:
    """Return the runs of a job, the first one first."""
    return [_row(row) for row in connection.execute(select(runs).where(runs.c.job_id == job_id).order_by(runs.c.run))]


def take(connection: Connection, job_id: str, run: int, owner: str, lease: Moment, before: str | None) -> bool:
    """Become the one who looks after a run instead of the owner `before`; False when somebody else has."""
    query = update(runs).where(runs.c.job_id == job_id, runs.c.run == run, runs.c.owner.is_not_distinct_from(before))
    return connection.execute(query.values(owner=owner, **_lease(lease))).rowcount == 1


def release(connection: Connection, owner: str) -> None:
    """Give back the leases of an owner who leaves its runs to whoever comes next."""
    connection.execute(update(runs).where(runs.c.owner == owner, runs.c.ended_at.is_(None)).values(**_lease(None)))


def reopen(connection: Connection, job_id: str, run: int) -> None:
    """Say that a run goes on after all: its worker lives."""
    set_values(connection, job_id, run, ended_at=None, outcome=None, reason=None, error=None, exit_code=None)


def renew(connection: Connection, owner: str, lease: Moment) -> set[tuple[str, int]]:
    """Move the lease end of an owner's runs that go on, and return which they are."""
    own = (runs.c.owner == owner, runs.c.ended_at.is_(None))
    connection.execute(update(runs).where(*own).values(**_lease(lease)))
    return {(row.job_id, row.run) for row in connection.execute(select(runs.c.job_id, runs.c.run).where(*own))}


def set_values(connection: Connection, job_id: str, run: int, **values: Any) -> bool:
    """Change columns of a run."""
    query = update(runs).where(runs.c.job_id == job_id, runs.c.run == run)
    return connection.execute(query.values(**values)).rowcount == 1


def end(connection: Connection, job_id: str, run: int, owner: str | None, **values: Any) -> bool:
    """Write down how a run ended, once; False when it is written already, or somebody else looks after the run."""
    query = update(runs).where(runs.c.job_id == job_id, runs.c.run == run, runs.c.ended_at.is_(None))
    query = query.where(runs.c.owner.is_not_distinct_from(owner))
    ended = {"ended_at": utc_now(), "lease_at": None, "lease_boot": None, **values}
    return connection.execute(query.values(**ended)).rowcount == 1


def _lease(lease: Moment | None) -> dict[str, Any]:
    if lease is None:
        return {"lease_at": None, "lease_boot": None}
    return {"lease_at": lease.seconds, "lease_boot": lease.boot_id}


def _row(row: Row[Any]) -> RunRow:
    values = dict(row._mapping)
    seconds, boot = values.pop("lease_at"), values.pop("lease_boot")
    return RunRow(**values, lease=None if boot is None or seconds is None else Moment(boot, seconds))
