"""Take what workers have appended to `events.jsonl` into the index, from the byte on up to which it is known.

The last words of a run wait for its end: whoever hears that a run is over finds its job as the run has left it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, update

from llmlora.core.events import events_after
from llmlora.core.layout import EVENTS_FILE, run_dir
from llmlora.store import events, jobs, metrics, runs
from llmlora.store.database import Database
from llmlora.store.dialects import Dialect
from llmlora.store.records import absolute_folder
from llmlora.store.tables import runs as runs_table

BATCH: Final = 1000  # events of one transaction
LAST_WORDS: Final = "run_ended"
SHOWN: Final = ("loss", "eval_loss", "learning_rate", "tokens_per_second", "eta_seconds", "memory_bytes")


@dataclass(frozen=True, slots=True)
class Batch:
    """Some new events of a run, and the bytes of the file up to their end."""

    found: list[dict[str, Any]]
    num_bytes: int


def read_batch(folder: Path, run: int, offset: int, limit: int = BATCH, *, with_end: bool = False) -> Batch:
    """Return the events of a run behind a byte; without `with_end` those before its last words."""
    found: list[dict[str, Any]] = []
    for end, event in events_after(run_dir(folder, run) / EVENTS_FILE, offset):
        if event["type"] == LAST_WORDS and not with_end:
            break
        offset = end
        if isinstance(event.get("seq"), int):
            found.append(event)
        if len(found) == limit:
            break
    return Batch(found, offset)


def tail(database: Database, job_id: str, run: int) -> list[dict[str, Any]]:
    """Take what is new of a run but its last words into the index and return it; nothing if somebody is quicker."""
    taken: list[dict[str, Any]] = []
    while True:
        with database.read() as connection:
            job, row = jobs.find(connection, job_id), runs.find(connection, job_id, run)
        if job is None or row is None:
            return taken
        batch = read_batch(absolute_folder(database.home, job.folder), run, row.num_bytes)
        if batch.num_bytes == row.num_bytes:
            return taken
        with database.write() as connection:
            if not take(connection, database.dialect, job, row, batch):
                return taken
        taken += batch.found
        if len(batch.found) < BATCH:
            return taken


def take_rest(database: Database, connection: Connection, job_id: str, run: int) -> None:
    """Take what is left of a run into the index, its last words too; in the transaction that has ended the run."""
    job, row = jobs.find(connection, job_id), runs.find(connection, job_id, run)
    if job is None or row is None:
        return
    folder = absolute_folder(database.home, job.folder)
    rest = read_batch(folder, run, row.num_bytes, sys.maxsize, with_end=True)
    if rest.found:
        take(connection, database.dialect, job, row, rest)


def take(connection: Connection, dialect: Dialect, job: jobs.JobRow, row: runs.RunRow, batch: Batch) -> bool:
    """Add a batch to the index; False when it was added already."""
    known = (runs_table.c.job_id == job.id, runs_table.c.run == row.run, runs_table.c.num_bytes == row.num_bytes)
    values = {"num_bytes": batch.num_bytes, **_of_run(batch.found)}
    if connection.execute(update(runs_table).where(*known).values(**values)).rowcount != 1:
        return False
    metrics.add(connection, dialect, job.id, row.run, [event for event in batch.found if "metrics" in event])
    if row.run == job.run:
        jobs.set_progress(connection, job.id, row.run, folded(job.progress, batch.found))
    events.add_worker_events(connection, dialect, job.id, row.run, batch.found)
    return True


def _of_run(found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return what events say of their run."""
    values: dict[str, Any] = {}
    for event in found:
        values["last_seq"] = event["seq"]
        if event["type"] == "run_started":
            values |= {"started_at": event["time"], "pid": event.get("pid")}
        elif event["type"] == "step":
            values["last_step"] = event["step"]
        elif event["type"] == "phase" and event.get("name") == "resuming":
            params = event.get("params", {})
            values |= {"from_checkpoint": params.get("checkpoint"), "from_step": params.get("step")}
            values["is_exact"] = params.get("exact")
    return values


def folded(progress: dict[str, Any], found: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return how far a job is after some more events."""
    after = dict(progress)
    for event in found:
        if event["type"] in ("step", "evaluation"):
            after["step"] = event["step"]
            after |= {name: value for name, value in (event.get("metrics") or {}).items() if name in SHOWN}
            after |= {"total_steps": event["total_steps"]} if "total_steps" in event else {}
        elif event["type"] == "phase":
            after["phase"] = {name: event[name] for name in ("name", "params", "done", "total") if name in event}
        elif event["type"] == "run_started":
            after.pop("phase", None)
    return after
