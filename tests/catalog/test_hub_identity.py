"""Who this machine is to the Hub: asked only with a token, and a token goes to nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from llmlora.catalog.hub_identity import HubIdentity, hub_identity


class FakeHub(HTTPServer):
    """Answers every question with what a test sets, and keeps what was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, bytes, dict[str, str]] = (200, b'{"name": "hanako"}', {})
        self.asked: list[tuple[str, str | None]] = []
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: FakeHub

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"]))
        status, body, headers = self.server.answer
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeHub]:
    """Serve a Hub that knows the token of the environment."""
    server = FakeHub()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.delenv("HF_HUB_OFFLINE")
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_the_account_of_the_token(hub: FakeHub) -> None:
    assert hub_identity() == HubIdentity("known", hub.url, "hanako")
    assert hub.asked == [("/api/whoami-v2", "Bearer hf_secret")]


def test_the_token_that_hugging_face_keeps_in_a_file(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "token").write_text("hf_kept\n", encoding="utf-8")
    assert hub_identity().state == "known"
    assert hub.asked[0][1] == "Bearer hf_kept"


@pytest.mark.parametrize(("variable", "state"), [("HF_TOKEN", "anonymous"), ("HF_HUB_OFFLINE", "offline")])
def test_nobody_is_asked(hub: FakeHub, monkeypatch: pytest.MonkeyPatch, variable: str, state: str) -> None:
    monkeypatch.setenv(variable, "" if variable == "HF_TOKEN" else "1")
    assert hub_identity().state == state
    assert hub.asked == []


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ((401, b"", {}), "refused"),
        ((403, b"", {}), "refused"),
        ((500, b"", {}), "unreachable"),
        ((200, b"<html>", {}), "unreachable"),
        ((200, b"[]", {}), "unreachable"),
    ],
)
def test_other_answers(hub: FakeHub, answer: tuple[int, bytes, dict[str, str]], state: str) -> None:
    hub.answer = answer
    assert hub_identity().state == state


def test_a_token_is_sent_to_no_other_place(hub: FakeHub) -> None:
    hub.answer = (302, b"", {"Location": f"{hub.url}/elsewhere"})
    assert hub_identity().state == "unreachable"
    assert [path for path, _ in hub.asked] == ["/api/whoami-v2"]


def test_a_hub_that_is_not_there(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert hub_identity().state == "unreachable"
