"""`llmlora ollama` as a user sees it, against the fake server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_ollama.server import FakeOllama
from llmlora.cli import ollama as command
from llmlora.cli.main import run
from llmlora.core.publish import read_json, write_json
from llmlora.gguf.container import write_container
from llmlora.services.workspace import open_workspace
from services.train_requests import made

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


@pytest.fixture
def export_dir(place: Path, tmp_path: Path, home: Path) -> Path:
    """Return a folder that says which job it was exported from."""
    folder = tmp_path / "my-support"
    folder.mkdir()
    job = {"schema": "llmlora.export/1", "kind": "export", "job_dir": str(made(place, tmp_path))}
    write_json(folder / "config.json", job)
    return folder


def test_detached_it_waits_in_the_queue_for_the_server_that_was_meant(
    fake: FakeOllama, export_dir: Path, capsys: pytest.CaptureFixture[str]
):
    text = said(capsys, "push", str(export_dir), "--detach")
    assert "my-support:latest" in text
    assert "llmlora jobs run" in text, "nobody looks after the queue"
    assert (
        document(capsys, "push", str(export_dir), "--name", "other:v1", "--detach")["schema"] == "llmlora.job_changed/1"
    )
    with open_workspace() as queue:
        jobs = queue.page(kinds=("register",)).items
        config = read_json(queue.folder_of(jobs[0]) / "config.json")
    assert [(job.name, job.status) for job in jobs] == [("other:v1", "queued"), ("my-support:latest", "queued")]
    assert (config["url"], config["export_dir"]) == (fake.url, str(export_dir))
    assert not [request for request in fake.requests if not request.startswith("GET")]


def test_beside_a_server_it_goes_through_the_queue_and_is_told_as_ever(
    fake: FakeOllama, export_dir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    report = {"name": "my-support:latest", "file": "model-F16.gguf", "is_new": True, "kept": None, "checks": []}
    followed: list[str] = []
    monkeypatch.setattr(command, "is_looked_after", lambda: True)
    monkeypatch.setattr(command, "follow_queued", lambda job_id, printer: followed.append(job_id) or report)
    monkeypatch.setattr(command.service, "run_worker", lambda *_: pytest.fail("a worker beside the queue"))
    assert "ollama run my-support" in said(capsys, "push", str(export_dir))
    assert document(capsys, "push", str(export_dir))["name"] == "my-support:latest"
    with open_workspace() as queue:
        assert sorted(followed) == sorted(job.id for job in queue.page(kinds=("register",)).items)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_server_that_is_down_is_said_with_what_to_do(
    language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("OLLAMA_HOST", "127.0.0.1:9")
    assert run(["ollama", "list", "--lang", language]) == 1
    assert "ollama serve" in capsys.readouterr().err
