"""An open database: short transactions to read and to write."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError, InternalError, OperationalError, SQLAlchemyError

from llmlora.core.errors import DependencyError, DiskFull, LlmloraError
from llmlora.core.publish import free_bytes
from llmlora.store.damage import put_in_doubt
from llmlora.store.dialects import Dialect

BUSY_WORDS: Final = ("locked", "deadlock", "lock timeout")  # of SQLite, of PostgreSQL
DAMAGE_WORDS: Final = ("malformed", "not a database")
LOOK_SECONDS: Final = 0.2  # what other processes write is found by looking


class Database:
    """The index of one workspace; threads and processes may share it."""

    def __init__(self, dialect: Dialect, home: Path, *, was_left_open: bool = False) -> None:
        self.dialect = dialect
        self.home = home
        self.was_left_open = was_left_open
        self.engine = dialect.engine()
        self.num_writes = 0
        self._written = threading.Condition()
        self._looking = threading.Lock()
        self._watching: Connection | None = None
        self._change_mark: int | None = None

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Yield a connection that sees one state of the database and changes nothing."""
        with self._typed_errors(), self.engine.connect() as connection:
            self.dialect.begin(connection, is_writer=False)
            yield connection
            connection.rollback()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Yield a connection whose changes all happen, or none: an exception takes them back.

        Keep it short: SQLite has one writer at a time.
        """
        with self._typed_errors(), self.dialect.writing(), self.engine.connect() as connection:
            self.dialect.begin(connection, is_writer=True)
            yield connection
            connection.commit()
        self.wake()

    def wake(self) -> None:
        """Let whoever waits for a write look, as after one."""
        with self._written:
            self.num_writes += 1
            self._written.notify_all()

    def wait_for_write(self, seen: int, timeout: float) -> int:
        """Return `num_writes` once somebody has written since it was `seen`, at the latest after some seconds.

        What this process writes is seen at once, what others write within 0.2 s; both is cheap.
        """
        deadline = time.monotonic() + timeout
        while True:
            left = deadline - time.monotonic()
            with self._written:
                self._written.wait_for(lambda: self.num_writes != seen, max(0.0, min(left, LOOK_SECONDS)))
                if self.num_writes != seen or left <= LOOK_SECONDS:
                    return self.num_writes
            if self._has_changed():
                self.wake()

    def _has_changed(self) -> bool:
        """Tell whether anybody has written since the last look; an error counts, so that whoever reads next sees it."""
        with self._looking:
            before = self._change_mark
            try:
                self._watching = self._watching or self.engine.connect()  # SQLite counts for each connection
                self._change_mark = self._watching.exec_driver_sql(self.dialect.change_mark).scalar()
                self._watching.rollback()
            except SQLAlchemyError:
                self._stop_looking()
                return True
            return self._change_mark != before

    def _stop_looking(self) -> None:
        if self._watching is not None:
            self._watching.close()
        self._watching = None

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InternalError) as error:  # the latter: PostgreSQL has ended a frozen transaction
            raise self._typed(error) from error
        except DatabaseError as error:
            if self.dialect.path is None or not any(word in str(error.orig) for word in DAMAGE_WORDS):
                raise
            put_in_doubt(self.dialect.path)
            raise DependencyError("database_damaged", path=str(self.dialect.path)) from error

    def _typed(self, error: OperationalError | InternalError) -> LlmloraError | OperationalError | InternalError:
        words = str(error.orig)
        if "disk is full" in words or "No space left" in words:
            return DiskFull("database_full", path=str(self.home), free_bytes=free_bytes(self.home))
        if any(word in words for word in BUSY_WORDS):
            return DependencyError("database_busy")
        if self.dialect.path is None:
            return DependencyError("database_unreachable", detail=words.splitlines()[0][:200])
        return error

    def close(self) -> None:
        """Give all connections back."""
        with self._looking:
            self._stop_looking()
        self.engine.dispose()
