"""Open the index of a workspace: made, migrated, or made again from the folders, whichever it needs."""

from __future__ import annotations

import fcntl
import importlib
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import inspect, text

from llmlora.core.errors import Conflict
from llmlora.core.layout import DATABASE_FILE
from llmlora.store.database import Database
from llmlora.store.dialects import dialect_of
from llmlora.store.rebuild import index_folders
from llmlora.store.tables import SCHEMA_REVISION

VERSION_TABLE: Final = "alembic_version"
OPENING_LOCK: Final = ".opening.lock"
COMPANIONS: Final = ("", "-wal", "-shm")  # what a SQLite database consists of


def open_store(home: Path, url: str | None = None) -> Database:
    """Return the index of the workspace `home`: the database of `url` (or `DATABASE_URL`), else a SQLite file in it.

    A damaged file is set aside, and the index made again.

    Raises:
        Conflict: `database_newer`, made by a newer version.
        ConfigError: `database_url`. DependencyError: `database_unreachable` or `database_busy`.
        DiskFull: `database_full`.
    """
    home.mkdir(parents=True, exist_ok=True)
    dialect = dialect_of(url or os.environ.get("DATABASE_URL"), home / DATABASE_FILE)
    with _alone(home):
        if dialect.path is not None and is_damaged(dialect.path):
            set_aside(dialect.path)
        database = Database(dialect, home)
        try:
            if _brought_up_to_date(database):
                index_folders(database)
        except BaseException:
            database.close()
            raise
    return database


@contextmanager
def _alone(home: Path) -> Iterator[None]:
    """Let one process at a time open the index."""
    descriptor = os.open(home / OPENING_LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def is_damaged(path: Path) -> bool:
    """Tell whether a SQLite file cannot be trusted."""
    if not path.is_file():
        return False
    try:
        connection = sqlite3.connect(path, timeout=10)
    except sqlite3.DatabaseError:
        return True
    try:
        return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.OperationalError as error:
        return not ("locked" in str(error) or "unable to open" in str(error))
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # it names what is damaged, and names may be damaged, too
        return True
    finally:
        connection.close()


def set_aside(path: Path) -> Path:
    """Rename a damaged database, with what belongs to it, and return its new place."""
    number = 1
    while (place := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + companion).rename(place.with_name(place.name + companion))
    return place


def _brought_up_to_date(database: Database) -> bool:
    """Migrate what is old, after a copy; tell whether the database was empty."""
    revision = _revision(database)
    if revision == SCHEMA_REVISION:
        return False
    migrations = importlib.import_module("llmlora.store.migrate")
    if revision is not None and revision not in migrations.revisions():
        raise Conflict("database_newer", revision=revision, known=SCHEMA_REVISION)
    if revision is not None and database.dialect.path is not None:
        _copy(database, database.dialect.path, revision)
    with database.write() as connection:
        migrations.migrate(connection)
    return revision is None


def _revision(database: Database) -> str | None:
    """Return which schema a database has, None for an empty one."""
    with database.read() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def _copy(database: Database, path: Path, revision: str) -> None:
    """Keep the database as it is before a migration."""
    copy = path.with_name(f"{path.name}.{revision}.bak")
    copy.unlink(missing_ok=True)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(copy),))
