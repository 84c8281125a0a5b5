"""What a training job says about its export before anything is spent."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmlora.core.errors import ModelFileError
from llmlora.core.events import EventWriter, read_events
from llmlora.core.locale import LANGUAGES, has_text, remark_text, set_language
from llmlora.weights.base import open_folder
from llmlora.worker.train import _warn_if_not_exportable
from tiny_models import tiny_model

Json = dict[str, Any]


def warnings_of(folder: Path, name: str = "config.json", edit: Callable[[Json], None] | None = None) -> list[Json]:
    if edit is not None:
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        edit(document)
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
    _warn_if_not_exportable(open_folder(folder), EventWriter(folder, 1))
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


def test_older_tokenizer_files_are_no_obstacle(tmp_path: Path) -> None:
    """Training writes a tokenizer.json beside the adapter, and export reads that one."""
    model = tiny_model("gpt2", tmp_path / "model", n_layer=1)
    (model / "events.jsonl").touch()
    document = json.loads((model / "tokenizer.json").read_text(encoding="utf-8"))["model"]
    (model / "tokenizer.json").unlink()
    (model / "vocab.json").write_text(json.dumps(document["vocab"]), encoding="utf-8")
    merges = "\n".join(" ".join(merge) for merge in document["merges"])
    (model / "merges.txt").write_text(f"#version: 0.2\n{merges}\n", encoding="utf-8")
    assert warnings_of(model, "tokenizer_config.json", lambda it: it.update(tokenizer_class="GPT2Tokenizer")) == []
    found = warnings_of(model, edit=lambda config: config.update(activation_function="relu"))
    assert [warning["code"] for warning in found] == ["not_exportable"]


def test_a_tensor_without_a_place_in_the_file_is_said_before_training(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file({**weights, "model.layers.0.self_attn.gate.weight": torch.ones(2)}, folder / "model.safetensors")
    (warning,) = warnings_of(folder)
    assert warning["code"] == "not_exportable"
    assert "self_attn.gate" in remark_text(warning)


def test_a_tied_model_may_store_its_tensor_as_the_output_only(tmp_path: Path) -> None:
    model = tiny_model("llama", tmp_path / "model", num_hidden_layers=1)
    (model / "events.jsonl").touch()
    weights = load_file(model / "model.safetensors")
    weights["lm_head.weight"] = weights.pop("model.embed_tokens.weight")
    save_file(weights, model / "model.safetensors", metadata={"format": "pt"})
    assert warnings_of(model) == []


@pytest.mark.parametrize("missing", ["<0x0A>", "<0xE3>"])
def test_a_vocabulary_without_byte_tokens_is_refused(missing: str, folder: Path) -> None:
    def drop(document: Json) -> None:
        vocabulary = document["model"]["vocab"]
        vocabulary["never-seen"] = vocabulary.pop(missing)

    with pytest.raises(ModelFileError) as caught:
        warnings_of(folder, "tokenizer.json", drop)
    assert (caught.value.code, caught.value.params["first"]) == ("tokenizer_no_bytes", missing)


def test_bytes_that_no_text_holds_may_be_missing(folder: Path) -> None:
    def drop(document: Json) -> None:
        vocabulary = document["model"]["vocab"]
        vocabulary["never-seen"] = vocabulary.pop("<0xFF>")

    assert warnings_of(folder, "tokenizer.json", drop) == []
