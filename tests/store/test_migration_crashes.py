"""A migration killed at any moment: the next start goes on, nothing is lost, and the copy of before is whole (S3)."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from contextlib import closing
from itertools import count

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event
from sqlalchemy.pool import Pool

from llmlora.core.layout import DATABASE_FILE
from llmlora.store import jobs, migrate, settings
from llmlora.store.database import Database
from llmlora.store.dialects import dialect_of
from llmlora.store.opening import open_store
from llmlora.store.tables import SCHEMA_REVISION, metadata
from services.crash_points import KILLED, killed

NUM_JOBS = 40
INSTRUCTIONS = 20  # of SQLite's machine between two moments
SOME, ALL = 20, 300  # kills
INSERT = (
    "INSERT INTO jobs (id, kind, name, status, folder, origin, position, run, num_retries, created_at, progress)"
    " VALUES (?, 'train', ?, 'succeeded', ?, 'queue', ?, 0, 0, '2026-11-29T10:00:00.000+00:00', '{}')"
)


@pytest.fixture
def older(home, tmp_path):
    """Return a workspace whose database has the first schema, with jobs and a setting."""
    database = Database(dialect_of(None, home / DATABASE_FILE), home)
    with database.write() as connection:
        migrate.migrate(connection, migrate.revisions()[0])
        for number in range(NUM_JOBS):
            name = f"{number:026}"
            connection.exec_driver_sql(INSERT, (name, f"job {number}", f"jobs/{name}", number))
        settings.put(connection, database.dialect, "max_running", 2)
    database.close()
    (home / ".opening.lock").unlink(missing_ok=True)
    return home.rename(tmp_path / "older")


def install(moments):
    """Let the process be gone after so many instructions of SQLite's machine, in whatever statement that is."""

    def step():
        if moments.is_last():
            os._exit(KILLED)

    def connected(connection, _):
        connection.set_progress_handler(step, INSTRUCTIONS)

    event.listen(Pool, "connect", connected)


def opened(home):
    open_store(home).close()


def last_moment(older, home):
    """Return about how many moments a migration has."""
    number = 64
    while True:
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(older, home)
        if not killed(number, lambda: opened(home), install):
            return number
        number *= 2


def copies(home):
    return sorted(home.glob(f"{DATABASE_FILE}.*.bak"))


def check_whole(home):
    """The database has the newest schema and all its rows, and the copy has the first schema and all of them."""
    database = open_store(home)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert len(jobs.page(connection, limit=500)) == NUM_JOBS
        assert settings.get_all(connection) == {"max_running": 2}
    database.close()
    [copy] = copies(home)
    assert copy.name == f"{DATABASE_FILE}.{migrate.revisions()[0]}.bak"
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(migrate.revisions()[0],)]
        assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (NUM_JOBS,)
    assert not list(home.glob("*.damaged-*"))


@pytest.mark.parametrize("number", [SOME, pytest.param(ALL, marks=pytest.mark.gate)])
def test_a_killed_migration_is_done_by_the_next_start(older, home, number):
    assert migrate.revisions()[0] != SCHEMA_REVISION
    last = last_moment(older, home)
    step, kills, found = max(1, last // number), 0, set()
    for moment in count(0, step):
        shutil.rmtree(home, ignore_errors=True)
        shutil.copytree(older, home)
        if not killed(moment, lambda: opened(home), install):
            break
        kills += 1
        with closing(sqlite3.connect(home / DATABASE_FILE)) as connection:
            found |= set(connection.execute("SELECT version_num FROM alembic_version").fetchall())
        check_whole(home)
    check_whole(home)
    assert kills > number // 4 and (migrate.revisions()[0],) in found
    print(json.dumps({"kills": kills, "moments": last}))
