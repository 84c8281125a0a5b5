"""A server in this process: the application of an empty workspace, and clients with and without its token."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from llmlora.api.app import create_app
from llmlora.core.server import read_server_settings

ORIGIN = "http://127.0.0.1:8000"
TOKEN = "a-token-of-the-tests"
# Found again by what is in them, and of limited size
CACHES = ("prepared", "opened", "model-digests.json")


NO_PAGES = Path("no-front-end")  # whether or not one has been built here


def application(page_dir: Path = NO_PAGES, **settings) -> FastAPI:
    return create_app(read_server_settings(token=TOKEN, **settings), page_dir=page_dir)


def open_application() -> FastAPI:
    return create_app(read_server_settings(host="127.0.0.1").without_token(), page_dir=NO_PAGES)


def client_of(app: FastAPI, **headers: str | bytes) -> TestClient:
    """Return a client that sends no cookie and follows no redirect."""
    return TestClient(app, base_url=ORIGIN, headers=headers, follow_redirects=False)


def signed_in(app: FastAPI, **headers: str) -> TestClient:
    return client_of(app, Authorization=f"Bearer {TOKEN}", **headers)


def browser(app: FastAPI) -> TestClient:
    """Return a client that has exchanged the token for the cookie, and sends nothing else."""
    client = client_of(app)
    assert client.get(f"/?token={TOKEN}").status_code == 303
    return client


@contextmanager
def nothing_left(home: Path) -> Iterator[None]:
    """Fail if what is asked within leaves a file or a folder in the workspace, or changes one."""
    before = _tree(home)
    yield
    assert _tree(home) == before


def _tree(home: Path) -> dict[str, int | None]:
    """Return what lies in a workspace, but for its caches and its index: when each file was changed."""
    places = {path: path.relative_to(home) for path in home.rglob("*")}
    return {
        str(place): path.stat().st_mtime_ns if path.is_file() else None
        for path, place in places.items()
        if place.parts[0] not in CACHES and not place.name.startswith("llmlora.db") and str(place) != "scratch"
    }


def server_log(home: Path) -> str:
    return (home / "server.log").read_text(encoding="utf-8")
