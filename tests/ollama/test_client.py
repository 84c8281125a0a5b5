"""What goes wrong with a server is an error of its own, each with what to do; nothing hangs, nothing is half done."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fake_ollama.server import FakeOllama
from llmlora.core.errors import LlmloraError
from llmlora.core.locale import error_texts
from llmlora.ollama.client import OllamaClient, hash_file, server_url

LINES: Callable[[Any], None] = lambda line: None  # noqa: E731


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(LlmloraError) as caught:
        call()
    words = error_texts(caught.value)
    assert words["what"]
    assert words["hint"]
    return caught.value.code


def create(client: OllamaClient, gguf: Path) -> None:
    digest = hash_file(gguf, lambda done, total: None)
    client.upload(gguf, digest, lambda done, total: None)
    client.create({"model": "m", "files": {"model.gguf": digest}}, LINES)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", "http://127.0.0.1:11434"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        (":8080", "http://127.0.0.1:8080"),
        ("box:1234", "http://box:1234"),
        ("https://models.example", "https://models.example:443"),
        ("http://[::1]:11434/", "http://[::1]:11434"),
        ("[::1]", "http://[::1]:11434"),
    ],
)
def test_addresses_are_read_as_ollama_reads_them(given: str, expected: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OLLAMA_HOST", given)
    assert server_url() == expected
    assert server_url("other:1") == "http://other:1"


def test_what_opens_a_server_is_sent_to_it_and_shown_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with FakeOllama(tmp_path) as fake:
        heard: list[str] = []
        with_credentials = fake.url.replace("http://", "http://me:canary@")
        for host in (None, fake.url, with_credentials):
            monkeypatch.setenv("OLLAMA_HOST", with_credentials)
            with OllamaClient(host) as client:
                assert client.url == server_url(host) == fake.url
                client._http.event_hooks = {"request": [lambda asked: heard.append(asked.headers["authorization"])]}
                client.version()
        assert heard == ["Basic bWU6Y2FuYXJ5"] * 3
    with OllamaClient() as client, pytest.raises(LlmloraError) as caught:
        client.version()
    assert "canary" not in str(caught.value.to_dict())


def test_a_server_that_is_not_there():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with OllamaClient(f"127.0.0.1:{port}") as client:
        assert code_of(client.version) == "ollama_down"


def test_a_server_that_is_silent(fake: FakeOllama):
    fake.odd.seconds_silent = 0.4
    with OllamaClient(fake.url, wait_seconds=0.1) as client:
        assert code_of(client.tags) == "ollama_slow"


def test_a_server_that_is_something_else_or_refuses(fake: FakeOllama, client: OllamaClient):
    fake.odd.is_html = True
    assert code_of(client.version) == "ollama_odd"
    fake.odd.is_html, fake.odd.foreign_host = False, True
    assert code_of(client.version) == "ollama_forbidden"
    fake.odd.foreign_host, fake.odd.status = False, 503
    assert code_of(client.tags) == "ollama_refused"


def test_uploads_that_break_fill_the_disk_or_are_changed(fake: FakeOllama, client: OllamaClient, tiny_gguf: Path):
    fake.odd.reset_at_byte = 4096
    assert code_of(lambda: create(client, tiny_gguf)) == "ollama_cut"
    fake.odd.reset_at_byte, fake.odd.full_at_byte = None, 1000
    assert code_of(lambda: create(client, tiny_gguf)) == "ollama_full"
    fake.odd.full_at_byte, fake.odd.refuses_digest = None, True
    assert code_of(lambda: create(client, tiny_gguf)) == "ollama_refused"
    assert client.tags() == []
    fake.odd.refuses_digest = False
    create(client, tiny_gguf)
    assert client.digest_of("m:latest")


def test_an_error_inside_a_good_stream_and_a_cut_one(fake: FakeOllama, client: OllamaClient, tiny_gguf: Path):
    fake.odd.splits_lines = True
    fake.odd.error_in_stream = "invalid file magic"
    assert code_of(lambda: create(client, tiny_gguf)) == "ollama_refused"
    fake.odd.error_in_stream, fake.odd.cut_before_success = "no space left on device", False
    assert code_of(lambda: create(client, tiny_gguf)) == "ollama_full"
    fake.odd.error_in_stream, fake.odd.cut_before_success = None, True
    assert code_of(lambda: create(client, tiny_gguf)) == "ollama_cut"
    fake.odd.cut_before_success = False
    create(client, tiny_gguf)


def test_bytes_are_reported_of_hashing_uploading_and_pulling(fake: FakeOllama, client: OllamaClient, tiny_gguf: Path):
    seen: list[tuple[int, int]] = []
    size = tiny_gguf.stat().st_size
    digest = hash_file(tiny_gguf, lambda done, total: seen.append((done, total)))
    client.upload(tiny_gguf, digest, lambda done, total: seen.append((done, total)))
    assert seen.count((size, size)) == 2
    (fake.store.folder / "registry").mkdir()
    (fake.store.folder / "registry" / "small.gguf").write_bytes(tiny_gguf.read_bytes())
    lines: list[Any] = []
    client.pull("small", lines.append)
    assert (size // 2, size) in [(line.get("completed"), line.get("total")) for line in lines]
    assert client.digest_of("small")
    assert code_of(lambda: client.pull("nowhere", LINES)) == "ollama_refused"
