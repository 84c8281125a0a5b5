"""What a training job says about its export before anything is spent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.events import EventWriter, read_events
from llmlora.core.locale import LANGUAGES, has_text, remark_text, set_language
from llmlora.worker.train import _warn_if_not_exportable
from tiny_models import tiny_model

Json = dict[str, Any]


def warnings_of(folder: Path, name: str = "config.json", edit: Callable[[Json], None] | None = None) -> list[Json]:
    if edit is not None:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        edit(document)
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    _warn_if_not_exportable(folder, EventWriter(folder, 1))
    found = [event for event in read_events(folder / "events.jsonl") if event["type"] == "warning"]
    for language in LANGUAGES:
        set_language(language)
        assert all(has_text(f"cli.warning.{event['code']}") for event in found)
        assert all("{" not in remark_text(event) for event in found)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    model = tiny_model("mistral", tmp_path / "model", num_hidden_layers=1)
    (model / "events.jsonl").touch()
    return model


def test_a_model_that_becomes_a_whole_file_gets_no_warning(folder: Path) -> None:
    assert warnings_of(folder) == []


def test_a_window_that_llamacpp_does_not_know_is_said_with_both_lengths(folder: Path) -> None:
    (warning,) = warnings_of(folder, edit=lambda config: config.update(sliding_window=100))
    assert (warning["code"], warning["params"]) == ("less_context", {"context": 100, "own": 512})


def test_a_setting_is_named(folder: Path) -> None:
    (warning,) = warnings_of(folder, edit=lambda config: config.update(hidden_act="relu"))
    assert warning["code"] == "not_exportable"
    assert "hidden_act = relu" in remark_text(warning)


def test_a_tokenizer_that_llamacpp_has_no_rule_for_is_said_before_training(folder: Path) -> None:
    (warning,) = warnings_of(folder, "tokenizer.json", lambda document: document.update(normalizer={"type": "NFKC"}))
    assert warning["code"] == "not_exportable"
    assert "NFKC" in remark_text(warning)
    assert "reason" not in warning["params"], "an error with its code, no sentence in one language"


def test_older_tokenizer_files_are_no_obstacle(folder: Path) -> None:
    """Training writes a tokenizer.json beside the adapter, and export reads that one."""
    (folder / "tokenizer.json").unlink()
    assert warnings_of(folder) == []
