"""What goes for good: deleted jobs and datasets whose time to undo is over, and events nobody asks for any more."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from llmlora.core.boot_clock import now
from llmlora.core.layout import QUEUE_FILE, TEMPORARY_PREFIX
from llmlora.services.uploads import expire_uploads
from llmlora.store import datasets, events, idempotency, jobs
from llmlora.store.database import Database
from llmlora.store.records import absolute_folder, record_dir


def purge(database: Database) -> int:
    """Remove what was deleted more than 10 s ago, folders first, and return how many."""
    with database.read() as connection:
        old_jobs = jobs.due_to_purge(connection, now())
        old_datasets = datasets.due_to_purge(connection, now())
    for job in old_jobs:
        _remove_folder(database.home, absolute_folder(database.home, job.folder))
        _remove_record(record_dir(database.home, job.kind, job.id))
        with database.write() as connection:
            jobs.remove(connection, job.id)
    for dataset in old_datasets:
        _remove_folder(database.home, absolute_folder(database.home, dataset.folder))
        with database.write() as connection:
            datasets.remove(connection, dataset.id)
    return len(old_jobs) + len(old_datasets)


def trim(database: Database) -> None:
    """Keep the stream of events, the idempotency keys and the uploads at a bounded size."""
    with database.write() as connection:
        events.trim(connection)
        idempotency.trim(connection)
    expire_uploads(database)


def _remove_folder(home: Path, folder: Path) -> None:
    """Remove a folder of the workspace; one that a user has chosen elsewhere stays."""
    if not folder.is_relative_to(home) or folder == home or not folder.is_dir():
        return
    trash = folder.with_name(f"{TEMPORARY_PREFIX}{folder.name}")
    with suppress(OSError):
        folder.rename(trash)  # at once: half a folder would look like the work of a command
    shutil.rmtree(trash, ignore_errors=True)


def _remove_record(folder: Path) -> None:
    (folder / QUEUE_FILE).unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or gone
        folder.rmdir()
