"""Open the index of a workspace: made, migrated, or made again from the folders, whichever it needs."""

from __future__ import annotations

import fcntl
import importlib
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from llmlora.core.errors import Conflict, DependencyError
from llmlora.core.layout import DATABASE_FILE
from llmlora.core.locale import translate
from llmlora.store import damage, settings
from llmlora.store.database import Database
from llmlora.store.dialects import dialect_of
from llmlora.store.rebuild import index_folders
from llmlora.store.tables import SCHEMA_REVISION, metadata

log = logging.getLogger("llmlora.store")
VERSION_TABLE: Final = "alembic_version"
OPENING_LOCK: Final = ".opening.lock"


def open_store(home: Path, url: str | None = None, *, is_anew: bool = False) -> Database:
    """Return the index of the workspace `home`: the database of `url` (or `DATABASE_URL`), else a SQLite file in it.

    A damaged file is set aside, and the index made again. What a large one has in its millions of rows is not looked at
    here: `was_left_open` says that somebody should (`services/index_check.py`). With `is_anew` an old index that cannot
    be migrated is made again from the folders, with its settings.

    Raises:
        Conflict: `database_newer`, made by a newer version.
        ConfigError: `database_url`. DependencyError: `database_unreachable`, `database_busy` or
            `database_migration_failed`, which has changed nothing.
        DiskFull: `database_full`.
    """
    home.mkdir(parents=True, exist_ok=True)
    dialect = dialect_of(url or os.environ.get("DATABASE_URL"), home / DATABASE_FILE)
    with _alone(home):
        was_left_open = dialect.path is not None and _made_sound(dialect.path)
        database = Database(dialect, home, was_left_open=was_left_open)
        try:
            if _brought_up_to_date(database, is_anew=is_anew):
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


def _made_sound(path: Path) -> bool:
    """Set a damaged SQLite file aside; tell whether one that stays was not closed by whoever had it last."""
    was_left_open = damage.was_left_open(path)
    is_damaged = damage.is_damaged(path)
    if is_damaged:
        damage.set_aside(path)
    damage.clear_doubt(path)
    return was_left_open and not is_damaged


def _brought_up_to_date(database: Database, *, is_anew: bool) -> bool:
    """Migrate what is old, in one transaction, after a copy of a file; tell whether the index is empty now."""
    revision = _revision(database)
    if revision == SCHEMA_REVISION:
        return False
    migrations = importlib.import_module("llmlora.store.migrate")
    if revision is not None and revision not in migrations.revisions():
        raise Conflict("database_newer", revision=revision, known=SCHEMA_REVISION)
    if revision is not None:
        _keep_copy(database, revision)
    try:
        with database.write() as connection:
            migrations.migrate(connection)
    except SQLAlchemyError as error:
        if revision is None:
            raise
        if not is_anew:
            words = {"before": revision, "after": SCHEMA_REVISION, "detail": str(error).splitlines()[0][:200]}
            raise DependencyError("database_migration_failed", **words) from error
        with database.write() as connection:
            kept = _drop_all(connection)
            migrations.migrate(connection)
            for key, value in kept.items():
                settings.put(connection, database.dialect, key, value)
        return True
    return revision is None


def _drop_all(connection: Connection) -> dict[str, object]:
    """Drop all tables of the index and return its settings, which no folder has."""
    found = inspect(connection)
    columns = {one["name"] for one in found.get_columns("settings")} if found.has_table("settings") else set()
    kept = settings.get_all(connection) if {"key", "value"} <= columns else {}
    ours = [name for name in found.get_table_names() if name in {*metadata.tables, VERSION_TABLE}]
    stored = MetaData()
    stored.reflect(connection, only=ours)
    stored.drop_all(connection)
    return kept


def _revision(database: Database) -> str | None:
    """Return which schema a database has, None for an empty one."""
    with database.read() as connection:
        if not inspect(connection).has_table(VERSION_TABLE):
            return None
        return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()


def _keep_copy(database: Database, revision: str) -> None:
    """Keep a SQLite file as it is before a migration; of a server's database no copy is made, which is said."""
    path = database.dialect.path
    if path is None:
        log.warning(translate("store.migrates_without_copy", before=revision, after=SCHEMA_REVISION))
        return
    copy = path.with_name(f"{path.name}.{revision}.bak")
    copy.unlink(missing_ok=True)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("VACUUM INTO ?", (str(copy),))
