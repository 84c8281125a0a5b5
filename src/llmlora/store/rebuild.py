"""Make the index from the folders of a workspace: all of it where it is empty, else what it does not know yet."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, Final

from llmlora.core.boot_clock import now
from llmlora.core.events import read_events
from llmlora.core.job import SCHEMA
from llmlora.core.layout import (
    CONFIG_FILE,
    EVENTS_FILE,
    QUEUE_FILE,
    run_dir,
    run_numbers,
    work_root,
)
from llmlora.core.publish import read_json
from llmlora.store import datasets, jobs, runs, tables
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow
from llmlora.store.jobs import KINDS, DatasetUse, NewJob
from llmlora.store.records import (
    absolute_folder,
    data_name,
    dataset_records,
    datasets_read,
    job_records,
    stored_folder,
    work_folders,
)
from llmlora.store.statuses import ACTIVE, STATUSES
from llmlora.store.tail import LAST_WORDS, tail, take_rest
from llmlora.store.times import time_of_id

OWN_COMMAND: Final = "command"
# What the record of a dataset says in every version of this program
NEEDED: Final = {item.name for item in fields(DatasetRow)} - {"version", "columns", "change"}
UNDO_SECONDS: Final = 10.0  # in which what was deleted can be had back


def index_folders(database: Database) -> list[str]:
    """Add every dataset and job that the folders have and the index has not; returns the ids of the jobs."""
    with database.read() as connection:
        known, known_datasets = jobs.all_ids(connection), datasets.all_ids(connection)
    for record in dataset_records(database.home, known_datasets):
        _add_dataset(database, record)
    records = [*job_records(database.home, known), *command_records(database.home, known)]
    return [str(record["id"]) for record in records if _add_job(database, record)]


def rebuild(database: Database) -> list[str]:
    """Forget all jobs and datasets, and index the folders anew; returns the ids of the jobs.

    Settings, uploads and idempotency keys stay. It may be done while jobs run: who supervises finds their workers again
    by the locks that they hold.
    """
    with database.write() as connection:
        connection.execute(tables.jobs.delete())
        connection.execute(tables.datasets.delete())
    return index_folders(database)


def _add_dataset(database: Database, record: dict[str, Any]) -> None:
    names = [item.name for item in fields(DatasetRow) if item.name in record]
    if any(name not in record for name in NEEDED):
        return
    with database.write() as connection:
        if datasets.find(connection, record["id"]) is None:
            datasets.insert(connection, DatasetRow(**{name: record[name] for name in names}))
            if record["deleted_at"] is not None:
                datasets.mark_deleted(connection, record["id"], now().after(UNDO_SECONDS))


def _add_job(database: Database, record: dict[str, Any]) -> bool:
    """Add a job with its runs, events and metrics; False for a record that does not say what it has to."""
    if record.get("kind") not in KINDS or record.get("status") not in STATUSES or not record.get("folder"):
        return False
    uses = tuple(DatasetUse(**use) for use in record.get("datasets", ()))
    names = [item.name for item in fields(NewJob) if item.name in record and item.name != "datasets"]
    folder = absolute_folder(database.home, str(record["folder"]))
    numbers = run_numbers(folder)
    newest = max([int(record.get("run") or 0), *numbers]) if record["origin"] == OWN_COMMAND else int(record["run"])
    with database.write() as connection:
        if not jobs.insert(
            connection, database.dialect, NewJob(**{name: record[name] for name in names}, datasets=uses)
        ):
            return False
        kept = ("error", "num_retries", "stop_request", "started_at", "ended_at", "deleted_at")
        jobs.set_values(connection, record["id"], run=newest, **{name: record[name] for name in kept if name in record})
        if record.get("deleted_at"):
            purge = now().after(UNDO_SECONDS)
            jobs.set_values(connection, record["id"], purge_at=purge.seconds, purge_boot=purge.boot_id)
        for number in numbers:
            runs.insert(connection, record["id"], number, None, None)
    for number in numbers:
        tail(database, record["id"], number)
        if number != newest or record["status"] not in ACTIVE:  # else it is whoever supervises who settles it
            _end_run(database, record, folder, number, is_newest=number == newest)
    return True


def _end_run(database: Database, record: dict[str, Any], folder: Path, run: int, *, is_newest: bool) -> None:
    """Write down how a run ended."""
    last = last_words(folder, run) or {"status": "interrupted"}
    with database.write() as connection:
        ended = {"ended_at": last["time"]} if "time" in last else {}
        runs.end(connection, record["id"], run, None, outcome=last["status"], error=last.get("error"), **ended)
        if is_newest and last["status"] == record["status"] == "succeeded":
            jobs.set_values(connection, record["id"], result=last.get("result"))
        take_rest(database, connection, record["id"], run)


def last_words(folder: Path, run: int) -> dict[str, Any] | None:
    """Return the `run_ended` event of a run, None when it has none."""
    ended = None
    for event in read_events(run_dir(folder, run) / EVENTS_FILE):
        if event["type"] == LAST_WORDS:
            ended = event
    return ended


def final_words(folder: Path, run: int) -> dict[str, Any] | None:
    """Return the last words of a run after which its job has ended, None where a command can go on with it."""
    last = last_words(folder, run)
    return last if last is not None and last["status"] in ("succeeded", "failed") else None


def command_records(home: Path, known: Set[str] = frozenset()) -> list[dict[str, Any]]:
    """Return what the folders tell of jobs that a command of its own has made, without the queue."""
    found = []
    for folder in sorted(work_folders(work_root(home, "train"))):
        if folder.name not in known and not (folder / QUEUE_FILE).exists():
            record = _command_record(home, folder)
            found += [record] if record else []
    return found


def _command_record(home: Path, folder: Path) -> dict[str, Any] | None:
    try:
        config = read_json(folder / CONFIG_FILE)
        created_at = time_of_id(folder.name)
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict) or config.get("schema") != SCHEMA or config.get("id") != folder.name:
        return None
    numbers = run_numbers(folder)
    if not numbers:  # being made just now, perhaps for the queue
        return None
    ended = final_words(folder, numbers[-1])
    return {
        "id": folder.name,
        "kind": str(config.get("kind", "train")),
        "name": data_name(home, config) or folder.name,
        "folder": stored_folder(home, folder),
        "origin": OWN_COMMAND,
        "status": ended["status"] if ended else "paused",
        "reason": None if ended else OWN_COMMAND,
        "error": ended.get("error") if ended else None,
        "ended_at": ended["time"] if ended else None,
        "created_at": created_at,
        "datasets": [asdict(use) for use in datasets_read(home, config)],
    }
