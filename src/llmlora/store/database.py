"""An open database: short transactions to read and to write."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Connection
from sqlalchemy.exc import InternalError, OperationalError

from llmlora.core.errors import DependencyError, DiskFull, LlmloraError
from llmlora.core.publish import free_bytes
from llmlora.store.dialects import Dialect

BUSY_WORDS: Final = ("locked", "deadlock", "lock timeout")  # of SQLite, of PostgreSQL


class Database:
    """The index of one workspace; threads and processes may share it."""

    def __init__(self, dialect: Dialect, home: Path) -> None:
        self.dialect = dialect
        self.home = home
        self.engine = dialect.engine()
        self.num_writes = 0
        self._written = threading.Condition()

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
        with self._written:
            self.num_writes += 1
            self._written.notify_all()

    def wait_for_write(self, seen: int, timeout: float) -> int:
        """Return `num_writes` when this process has written since it was `seen`, at the latest after some seconds."""
        with self._written:
            self._written.wait_for(lambda: self.num_writes != seen, timeout)
            return self.num_writes

    @contextmanager
    def _typed_errors(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InternalError) as error:  # the latter: PostgreSQL has ended a frozen transaction
            raise self._typed(error) from error

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
        self.engine.dispose()
