"""A GGUF file and a model of an Ollama store go the whole way: opened, compared, trained, merged, exported."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cli.command_line import write_data
from gguf_base import gguf_base
from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.errors import Conflict, ExportError, LlmloraError
from llmlora.core.generate_options import GenerateOptions
from llmlora.core.job import read_job
from llmlora.core.publish import read_json
from llmlora.engine.quantized_weight import quantized_types
from llmlora.evaluation.measuring.sides import load_sides
from llmlora.inference import transformers_chat
from llmlora.inference.chat import ChatRequest
from llmlora.inference.trained_job import find_trained
from llmlora.services.base_models import open_base_model
from llmlora.services.chat import chat
from llmlora.services.evaluate import evaluate
from llmlora.services.export import export_model
from llmlora.services.merge import merge
from llmlora.services.plan_training import plan_training
from llmlora.services.train import train
from llmlora.services.train_request import TrainRequest
from ollama_store import OllamaStore
from reference_model import export
from tiny_models import tiny_model

SETTINGS: dict[str, Any] = {"num_train_epochs": 2, "r": 2}


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gguf")
    return export(tiny_model("llama", folder / "model"), folder / "tiny.gguf", "F16")


def test_a_file_is_opened_once(file: Path, home: Path) -> None:
    events: list[dict[str, Any]] = []
    base = open_base_model(str(file), events.append)
    assert [event["name"] for event in events if event["type"] == "phase"] == ["opening"]
    assert base.is_opened
    assert base.config["model_type"] == "llama"
    again = open_base_model(str(file), lambda event: pytest.fail(str(event)))
    assert again == base
    folder = home / "opened" / base.digest
    assert json.loads((folder / "selftest.json").read_text("utf-8"))["logprobs"]["max_kl"] < 0.01


def test_the_whole_way(file: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = OllamaStore(tmp_path / "store")
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    store.add("registry.ollama.ai/library/tiny/latest", store.manifest([("model", file)]))
    data = write_data(tmp_path)
    train("ollama:tiny", data, out=tmp_path / "job", **SETTINGS)
    job = read_job(tmp_path / "job")
    base = resolve_base_model("ollama:tiny")
    assert (job.base_model, job.base_kind, job.base_dir) == ("ollama:tiny:latest", "ollama", str(base.path))
    assert base.path.name == f"sha256-{job.base_digest}"
    assert evaluate(tmp_path / "job", check_forgetting=False)["items"]
    assert merge(tmp_path / "job", tmp_path / "merged")["num_tensors"] == len(base.tensors)
    report = export_model(tmp_path / "job", tmp_path / "out", ("F16",))
    assert report["verify"]["ok"]
    assert chat(str(tmp_path / "out"), "こんにちは", max_new_tokens=2)["num_tokens"] <= 2
    assert chat("ollama:tiny", "こんにちは", max_new_tokens=2)["num_tokens"] <= 2


def test_the_whole_way_in_the_files_own_blocks(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gguf_base(tiny_model("llama", tmp_path / "model"), tmp_path / "tiny.gguf", "Q8_0")
    base = open_base_model(str(tmp_path / "tiny.gguf"))
    assert base.bytes_in_blocks == base.num_bytes
    data = write_data(tmp_path)
    found = {}
    for method in ("lora", "qlora"):
        found[method] = train(base.name, data, out=tmp_path / method, method=method, **SETTINGS)
        merge(tmp_path / method, tmp_path / f"{method}-merged")
    assert found["qlora"]["final_loss"] == found["lora"]["final_loss"]
    assert (found["lora"]["base_types"], list(found["qlora"]["base_types"])) == ({}, ["Q8_0"])
    notes = {note["code"]: note["params"] for note in read_json(tmp_path / "qlora" / "report.json")["notes"]}
    assert notes["base_of_file"] == {"types": "Q8_0"}
    merged = [(tmp_path / f"{method}-merged" / "model.safetensors").read_bytes() for method in ("lora", "qlora")]
    assert merged[0] == merged[1]
    asked = ChatRequest(prompt="こんにちは", options=GenerateOptions(max_new_tokens=8))
    replies = []
    monkeypatch.setattr(transformers_chat, "available_memory_bytes", lambda: 0)  # or the first is asked in float32
    for method in ("lora", "qlora"):
        with load_sides(find_trained(tmp_path / method)).tuned() as asked_model:
            replies.append(asked_model.chat(asked))
            assert list(quantized_types(asked_model.model)) == ([] if method == "lora" else ["Q8_0"])
    assert replies[0] == replies[1]


def test_another_file_in_its_place_is_refused(file: Path, tmp_path: Path, home: Path) -> None:
    path = tmp_path / "moving.gguf"
    path.write_bytes(file.read_bytes())
    train(str(path), write_data(tmp_path), out=tmp_path / "job", **SETTINGS)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(ExportError, match="export_base_changed"):
        merge(tmp_path / "job", tmp_path / "merged")
    with pytest.raises(Conflict, match="base_changed"):
        train(recipe=tmp_path / "job" / "config.json", out=tmp_path / "again")


def test_what_cannot_be_opened_is_refused_before_anything_is_written(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF" + bytes(40))
    with pytest.raises(LlmloraError, match="gguf_"):
        plan_training(TrainRequest(str(path), write_data(tmp_path), out=tmp_path / "job"))
    assert not (tmp_path / "job").exists()
