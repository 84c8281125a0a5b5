"""A server in this process: the application of an empty workspace, and clients with and without its token."""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.testclient import TestClient

from llmlora.api.app import create_app
from llmlora.core.server import read_server_settings

ORIGIN = "http://127.0.0.1:8000"
TOKEN = "a-token-of-the-tests"


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


def server_log(home: Path) -> str:
    return (home / "server.log").read_text(encoding="utf-8")
