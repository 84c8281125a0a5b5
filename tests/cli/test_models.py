from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from cli.command_line import run
from llmlora.catalog.base_model import bundled_models
from ollama_store import OllamaStore


def test_models_are_listed() -> None:
    shown = run("models")
    assert shown.code == 0
    assert all(name in shown.stdout for name in bundled_models())
    assert "Hugging Face" in shown.stderr


def test_each_says_what_can_be_done_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = OllamaStore(tmp_path / "store")
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    store.add("registry.ollama.ai/library/big/cloud", store.manifest([], {"remote_host": "x"}))
    shown = run("models")
    lines = shown.stdout.splitlines()
    rows = {line.split()[0]: (line, details) for line, details in itertools.pairwise(lines) if not line[:1].isspace()}
    assert {"134.5 M", "Q4_1", "98 MB"} <= set(rows["smollm2"][1].strip().split(" · "))
    assert "2,048 tokens" in rows["nano"][1]
    assert rows["nano"][0].endswith("  train, GGUF")
    assert rows["ollama:big:cloud"][0].endswith("  none")
    assert rows["ollama:big:cloud"][1].strip() == "Ollama", "what is not known takes no room"
    assert 'ollama:big:cloud: "big:cloud" runs in the cloud' in shown.stderr


def test_the_curated_list_marks_what_was_not_read_at_its_source() -> None:
    shown = run("models", "--catalogue")
    rows = shown.stdout.splitlines()
    assert "llm-jp/llm-jp-3-440m-instruct3" in rows
    place = rows.index("Qwen/Qwen2.5-0.5B-Instruct *")
    assert rows[place + 1].split(" · ") == ["    494 M", "apache-2.0", "ollama:qwen2.5:0.5b", "--preset recommended"]
    assert "2026-11-29" in shown.stderr
    document = run("models", "--catalogue", "--json").document
    assert document["schema"] == "llmlora.catalogue/1"
    assert document["models"][0]["id"].startswith("llm-jp/")


def test_models_as_a_document() -> None:
    document = run("models", "--json").document
    assert document["schema"] == "llmlora.models/1"
    assert [model["name"] for model in document["models"]] == [*bundled_models(), "smollm2"]


def test_an_unknown_option_is_refused() -> None:
    assert run("models", "--nope", "--json").code == 2
