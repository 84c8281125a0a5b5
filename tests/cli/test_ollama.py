"""`llmlora ollama` as a user sees it, against the fake server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_ollama.server import FakeOllama
from llmlora.cli.main import run
from llmlora.gguf.container import write_container

KEYS = {"general.architecture": "llama", "tokenizer.chat_template": "{{ messages }}"}


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeOllama]:
    write_container(tmp_path / "small.gguf", KEYS, [])
    with FakeOllama(tmp_path / "store") as server:
        server.store.add("small:latest", tmp_path / "small.gguf", license="Apache-2.0", system="You help.")
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        yield server


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert run(["ollama", *words, "--lang", "en"]) == code
    captured = capsys.readouterr()
    return captured.out + captured.err


def document(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert run(["ollama", *words, "--json"]) == 0
    return dict(json.loads(capsys.readouterr().out))


def test_list_and_show(fake: FakeOllama, capsys: pytest.CaptureFixture[str]):
    text = said(capsys, "list")
    assert f"Ollama 0.40.0 at {fake.url}" in text
    assert "small:latest" in text
    assert "Apache-2.0" in said(capsys, "show", "small")
    assert document(capsys, "list")["schema"] == "llmlora.ollama_list/1"
    assert document(capsys, "show", "small")["model"]["system"] == "You help."  # type: ignore[index]


def test_check_says_what_the_version_can_do(fake: FakeOllama, capsys: pytest.CaptureFixture[str]):
    text = said(capsys, "check")
    assert "Takes adapters: no" in text
    assert text.count("OK") == 4
    assert not [request for request in fake.requests if "create" in request or "POST /api/blobs" in request]
    assert document(capsys, "check")["has_logprobs"] is True


def test_pull(fake: FakeOllama, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "store" / "registry").mkdir()
    (tmp_path / "store" / "registry" / "other.gguf").write_bytes((tmp_path / "small.gguf").read_bytes())
    assert "other is there" in said(capsys, "pull", "other")
    assert fake.store.find("other") is not None
    assert document(capsys, "pull", "other")["digest"]


def test_rollback(fake: FakeOllama, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    said(capsys, "rollback", "small", code=3)
    fake.store.add("small:latest-before", tmp_path / "small.gguf", system="Older.")
    assert "small:latest is what it was before" in said(capsys, "rollback", "small")
    assert fake.store.find("small").text("system") == "Older."  # type: ignore[union-attr]
    assert document(capsys, "rollback", "small")["kept"] == "small:latest-before"


def test_what_cannot_be_pushed_is_said_before_anything_is_done(
    fake: FakeOllama, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert "exclude each other" in said(capsys, "push", str(tmp_path), "--stitch", "--merge", code=2)
    assert "takes no adapters" in said(capsys, "push", str(tmp_path), "--adapter-only", code=2)
    refused = said(capsys, "push", str(tmp_path), "--name", "みどり堂", code=2)
    assert "midori" in refused
    (tmp_path / "みどり堂").mkdir()
    assert "Name in Ollama: midori:latest" in said(capsys, "push", str(tmp_path / "みどり堂"), code=3)
    assert not [request for request in fake.requests if not request.startswith("GET")]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_server_that_is_down_is_said_with_what_to_do(
    language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    assert run(["ollama", "list", "--lang", language]) == 1
    assert "ollama serve" in capsys.readouterr().err
