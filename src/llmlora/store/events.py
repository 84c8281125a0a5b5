"""Events: what workers wrote and what the queue did, in one numbered stream that a page can take up anywhere.

A transaction adds its events last: numbering them is a lock, and who holds it takes no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, func, select

from llmlora.store.dialects import Dialect
from llmlora.store.tables import events
from llmlora.store.times import utc_now

STATUS_EVENT: Final = "status"
KEPT_STEPS: Final = 100_000  # newest step events that the stream keeps; curves are kept whole in `metrics`


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event of the stream; `id` grows, without promise that every number is used."""

    id: int
    job_id: str | None  # None for an event that is about no job
    run: int
    seq: int | None  # of the worker's event; None for one of the queue
    type: str
    time: str
    data: dict[str, Any]  # the event without the fields above


def add_worker_events(
    connection: Connection, dialect: Dialect, job_id: str, run: int, found: Sequence[dict[str, Any]]
) -> None:
    """Add events of a worker; those that are there already stay as they are."""
    rows = [
        {
            "job_id": job_id,
            "run": run,
            "seq": event["seq"],
            "type": str(event["type"])[:16],
            "time": str(event.get("time", ""))[:32],
            "data": {name: value for name, value in event.items() if name not in ("seq", "run", "type", "time")},
        }
        for event in found
    ]
    if rows:
        dialect.number_in_order(connection)
        dialect.add(connection, dialect.insert(events).on_conflict_do_nothing(), rows)


def add_queue_event(
    connection: Connection, dialect: Dialect, job_id: str | None, run: int, event_type: str, data: dict[str, Any]
) -> None:
    """Add an event of the server itself."""
    dialect.number_in_order(connection)
    values = {"job_id": job_id, "run": run, "type": event_type, "time": utc_now(), "data": data}
    connection.execute(events.insert(), values)


def after(
    connection: Connection,
    last_id: int,
    *,
    job_id: str | None = None,
    types: Sequence[str] = (),
    limit: int = 500,
) -> list[EventRow]:
    """Return the events behind one, the oldest first."""
    query = select(events).where(events.c.id > last_id).order_by(events.c.id).limit(limit)
    if job_id is not None:
        query = query.where(events.c.job_id == job_id)
    if types:
        query = query.where(events.c.type.in_(types))
    return [EventRow(**row._mapping) for row in connection.execute(query)]


def bounds(connection: Connection) -> tuple[int, int]:
    """Return the ids of the oldest and the newest event, zeros when there is none."""
    row = connection.execute(select(func.min(events.c.id), func.max(events.c.id))).one()
    return (row[0] or 0, row[1] or 0)


def trim(connection: Connection, kept: int = KEPT_STEPS) -> int:
    """Forget all but the newest step events and return how many went."""
    is_step = events.c.type == "step"
    oldest = connection.execute(
        select(events.c.id).where(is_step).order_by(events.c.id.desc()).offset(kept).limit(1)
    ).scalar()
    if oldest is None:
        return 0
    return connection.execute(events.delete().where(is_step, events.c.id <= oldest)).rowcount
