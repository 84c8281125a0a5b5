"""Whether a SQLite file can be trusted: at a start what can be told at once, later the whole of it, after a bad end."""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

COMPANIONS: Final = ("", "-wal", "-shm")  # what a SQLite database consists of
SMALL_BYTES: Final = 32 << 20  # up to here all of a file is checked at every start: some 50 ms
GROWING: Final = ("events", "metrics")  # tables that may have millions of rows; nothing starts by what is in them
DOUBT: Final = ".in-doubt"  # beside a file that was found damaged while it was in use


def is_damaged(path: Path) -> bool:
    """Tell whether a SQLite file cannot be trusted.

    Of a large one, all but its millions of rows is looked at, unless it is in doubt.
    """
    if not path.is_file():
        return False
    is_whole = path.stat().st_size <= SMALL_BYTES or is_in_doubt(path)
    return _fails(path, is_whole=is_whole)


def was_left_open(path: Path) -> bool:
    """Tell whether whoever had a SQLite file open last did not close it: its log is still there."""
    log = path.with_name(f"{path.name}-wal")
    return log.is_file() and log.stat().st_size > 0


def is_in_doubt(path: Path) -> bool:
    """Tell whether a file was found damaged while it was in use, and not looked at since."""
    return _mark(path).exists()


def put_in_doubt(path: Path) -> None:
    """Let the next start look at all of a file."""
    with suppress(OSError):
        _mark(path).touch()


def clear_doubt(path: Path) -> None:
    """Say that a file has been looked at, or another is there now."""
    _mark(path).unlink(missing_ok=True)


def set_aside(path: Path) -> Path:
    """Rename a damaged database, with what belongs to it, and return its new place."""
    number = 1
    while (place := path.with_name(f"{path.name}.damaged-{number}")).exists():
        number += 1
    for companion in COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + companion).rename(place.with_name(place.name + companion))
    return place


class WholeCheck:
    """One look at all of a file, which may take minutes; `stop` ends it from another thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._is_stopped = False

    def finds_damage(self) -> bool:
        """Look at all of the file; False for one that is whole, and when it was stopped."""
        with closing(sqlite3.connect(self._path, timeout=10, check_same_thread=False)) as connection:
            self._connection = connection
            if self._is_stopped:
                return False
            try:
                return not _passes(connection, "PRAGMA quick_check(1)")
            finally:
                self._connection = None

    def stop(self) -> None:
        """End the look."""
        self._is_stopped = True
        connection = self._connection
        if connection is not None:
            with suppress(sqlite3.ProgrammingError):  # closed in this moment
                connection.interrupt()


def _mark(path: Path) -> Path:
    return path.with_name(path.name + DOUBT)


def _fails(path: Path, *, is_whole: bool) -> bool:
    try:
        connection = sqlite3.connect(path, timeout=10)
    except sqlite3.DatabaseError:
        return True
    with closing(connection):
        if is_whole:
            return not _passes(connection, "PRAGMA quick_check(1)")
        return not all(_passes(connection, f"PRAGMA quick_check('{name}')") for name in _small_tables(connection))


def _small_tables(connection: sqlite3.Connection) -> list[str]:
    """Return the tables but for those that grow; none for a file that cannot be read, which the check then tells."""
    try:
        query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        found = [str(name) for (name,) in connection.execute(query)]
    except (sqlite3.DatabaseError, UnicodeDecodeError):
        return ["sqlite_schema"]
    return ["sqlite_schema", *(name for name in found if name not in GROWING)]


def _passes(connection: sqlite3.Connection, check: str) -> bool:
    """Tell whether a check finds nothing; who has the file locked, or stops the check, has not damaged it."""
    try:
        return bool(connection.execute(check).fetchone() == ("ok",))
    except sqlite3.OperationalError as error:
        return any(words in str(error) for words in ("locked", "unable to open", "interrupted"))
    except (sqlite3.DatabaseError, UnicodeDecodeError):  # it names what is damaged, and names may be damaged, too
        return False
