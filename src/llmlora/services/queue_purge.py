"""What goes for good: deleted jobs and datasets whose time to undo is over, and what nobody asks for any more."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from pathlib import Path

from llmlora.core.boot_clock import now
from llmlora.core.layout import CONFIG_FILE, QUEUE_FILE, ROWS_DIR, TEMPORARY_PREFIX, is_id, work_root
from llmlora.services.launch import SCRATCH_SECONDS, remove_left_scratch
from llmlora.services.uploads import expire_uploads
from llmlora.store import datasets, events, idempotency, jobs
from llmlora.store.database import Database
from llmlora.store.jobs import KINDS
from llmlora.store.records import absolute_folder, record_dir, work_folders


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
    """Keep events, idempotency keys and uploads at a bounded size, and remove what killed processes left behind."""
    with database.write() as connection:
        events.trim(connection)
        idempotency.trim(connection)
    expire_uploads(database)
    remove_left_scratch()
    _remove_unstarted(database.home)


def _remove_unstarted(home: Path) -> None:
    """Remove the folders of work that nobody was promised: whoever made them was killed before it was queued or run."""
    roots = {work_root(home, kind) for kind in KINDS}
    for folder in [folder for root in roots for folder in work_folders(root)]:
        with suppress(OSError):  # gone meanwhile, or no folder
            is_old = time.time() - folder.stat().st_mtime > SCRATCH_SECONDS
            if is_old and is_id(folder.name) and _is_unstarted(folder):
                _remove_folder(home, folder)


def _is_unstarted(folder: Path) -> bool:
    names = {path.name for path in folder.iterdir() if not path.name.startswith(TEMPORARY_PREFIX)}
    return names <= {CONFIG_FILE, ROWS_DIR}


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
