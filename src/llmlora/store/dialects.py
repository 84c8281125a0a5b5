"""What SQLite and PostgreSQL do differently, one class each; everything else is the same code."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final, Protocol

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from llmlora.core.errors import ConfigError
from llmlora.core.events import finite

BUSY_MILLISECONDS: Final = 10_000
PRAGMAS: Final = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MILLISECONDS}")
CONNECT_SECONDS: Final = 10
# ms: a frozen process must not hold locks for ever, and who waits for one is told that the database is busy.
TIME_LIMITS: Final = f"-c idle_in_transaction_session_timeout=5000 -c lock_timeout={BUSY_MILLISECONDS}"
EVENTS_LOCK: Final = 0x6C6C6D6C  # any number that is ours

Rows = list[dict[str, Any]]


class Dialect(Protocol):
    """One kind of database."""

    @property
    def path(self) -> Path | None:
        """The database file, None where there is none."""

    @property
    def place(self) -> str:
        """Which database it is, without a password."""

    @property
    def change_mark(self) -> str:
        """The query whose number is another one after every change that others make."""

    def engine(self) -> Engine: ...
    def writing(self) -> AbstractContextManager[None]:
        """Hold what a writer of this process has to hold."""

    def begin(self, connection: Connection, *, is_writer: bool) -> None:
        """Begin a transaction."""

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """Return an insert that knows ON CONFLICT."""

    def add(self, connection: Connection, insert: Any, rows: Rows) -> None:
        """Insert rows with the same columns, up to 1000."""

    def number_in_order(self, connection: Connection) -> None:
        """Let nobody else number events before this transaction has ended: who reads up to a number misses none."""


class Sqlite:
    """A file with one writer at a time, readers beside it (WAL), and no acknowledged change lost (FULL)."""

    change_mark = "PRAGMA data_version"

    def __init__(self, path: Path) -> None:
        self.path = path
        self.place = str(path)
        self._writer = threading.RLock()

    def engine(self) -> Engine:
        """Return an engine whose transactions begin when and how `begin` says."""
        url = URL.create("sqlite", database=str(self.path))
        engine = create_engine(url, json_serializer=_json, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _prepare_sqlite)
        return engine

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Let the threads of this process write one after the other, in the order in which they came."""
        with self._writer:
            yield

    def begin(self, connection: Connection, *, is_writer: bool) -> None:
        """Begin; a writer takes the database at once, because going from reading to writing could fail (measured)."""
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN DEFERRED")

    def insert(self, table: Table) -> sqlite.Insert:
        """Return an insert that knows ON CONFLICT."""
        return sqlite.insert(table)

    def add(self, connection: Connection, insert: sqlite.Insert, rows: Rows) -> None:
        """Insert rows with the same columns."""
        connection.execute(insert, rows)

    def number_in_order(self, connection: Connection) -> None:
        """Do nothing: there is no other writer."""


class Postgres:
    """A server; writers exclude each other by row."""

    path = None
    change_mark = "SELECT max(id) FROM events"  # every change is told there

    def __init__(self, url: str) -> None:
        self._url = url
        self.place = make_url(url).render_as_string(hide_password=True)

    def engine(self) -> Engine:
        """Return an engine on psycopg 3."""
        return create_engine(
            self._url,
            json_serializer=_json,
            pool_pre_ping=True,
            connect_args={"connect_timeout": CONNECT_SECONDS, "options": TIME_LIMITS},
        )

    def writing(self) -> AbstractContextManager[None]:
        """Hold nothing: the server tells writers apart."""
        return nullcontext()

    def begin(self, connection: Connection, *, is_writer: bool) -> None:
        """Do nothing more: the driver begins with the first statement."""

    def insert(self, table: Table) -> postgresql.Insert:
        """Return an insert that knows ON CONFLICT."""
        return postgresql.insert(table)

    def add(self, connection: Connection, insert: postgresql.Insert, rows: Rows) -> None:
        """Insert rows with the same columns, up to 1000, in one statement.

        The driver would send several as a pipeline. A process that is frozen in the middle of one is at work for the
        server, not idle, so that no time limit would end its locks.
        """
        connection.execute(insert.values(rows))

    def number_in_order(self, connection: Connection) -> None:
        """Take the lock of numbering until the end of the transaction."""
        connection.execute(select(func.pg_advisory_xact_lock(EVENTS_LOCK)))


def dialect_of(url: str | None, path: Path) -> Dialect:
    """Return the database of a URL, without one the SQLite file at `path`.

    Raises:
        ConfigError: no URL of a database that llmlora knows.
    """
    if not url:
        return Sqlite(path)
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("database_url", url="?") from error
    name = parsed.get_backend_name()
    if name == "sqlite" and parsed.database:
        return Sqlite(Path(parsed.database).expanduser())
    if name == "postgresql":
        shown = parsed.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        return Postgres(shown)
    raise ConfigError("database_url", url=parsed.render_as_string(hide_password=True))


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    for pragma in PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _json(value: Any) -> str:
    return json.dumps(finite(value), allow_nan=False)
