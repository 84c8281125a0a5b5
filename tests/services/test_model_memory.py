"""What models and training jobs need: by the headers of their files, and never less for what cannot be read."""

import json
import os

import pytest

from llmlora.core.memory import FLOAT32_BYTES
from llmlora.core.publish import read_json
from llmlora.gguf.writer import write_gguf
from llmlora.services.chat import ModelLocation, locate_model
from llmlora.services.model_memory import (
    LIBRARY_BYTES,
    TRAINING_BYTES,
    needed_bytes,
    resident_bytes,
    training_bytes,
)
from llmlora.weights.folder_source import FolderSource
from tiny_jobs import tiny_job


@pytest.fixture(scope="module")
def lora(tmp_path_factory):
    return tiny_job("llama", tmp_path_factory.mktemp("lora"), {})


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    return tiny_job("llama", tmp_path_factory.mktemp("full"))


@pytest.fixture(scope="module")
def gguf(lora):
    base, path = lora.parent / "base", lora.parent / "model.gguf"
    write_gguf(FolderSource(base), read_json(base / "config.json"), base, path, "F16", "x")
    return path


def weight_bytes(folder):
    """Return the bytes of the weights of a folder in float32, as its own file has them."""
    from safetensors.numpy import load_file

    return FLOAT32_BYTES * sum(weight.size for weight in load_file(folder / "model.safetensors").values())


def test_a_base_its_job_and_the_base_of_the_job_need_the_same(lora):
    base = lora.parent / "base"
    wanted = LIBRARY_BYTES["chat"] + weight_bytes(base)
    for kind, path in (("base", base), ("job", lora), ("job_base", lora)):
        assert needed_bytes(ModelLocation(kind, path)) == wanted, kind


def test_a_base_in_blocks_needs_a_quarter(lora, gguf):
    base = lora.parent / "base"
    found = needed_bytes(ModelLocation("base_4bit", base)) - LIBRARY_BYTES["chat"]
    assert 0.15 * weight_bytes(base) < found < 0.25 * weight_bytes(base)
    for path, wanted in ((base, found), (gguf, gguf.stat().st_size)):
        job = {**read_json(lora / "config.json"), "base_dir": str(path)}
        job["train"]["method"] = "qlora"
        folder = lora.parent / f"qlora-{path.name}"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps(job))
        assert needed_bytes(ModelLocation("job", folder)) == LIBRARY_BYTES["chat"] + wanted
        assert wanted < training_bytes(folder) - TRAINING_BYTES < 2 * wanted


def test_a_job_of_all_weights_is_measured_by_its_result(full):
    assert needed_bytes(ModelLocation("job", full)) == LIBRARY_BYTES["chat"] + weight_bytes(full / "model")


def test_a_file_is_held_as_it_is(gguf):
    assert needed_bytes(ModelLocation("gguf", gguf)) == LIBRARY_BYTES["chat_gguf"] + gguf.stat().st_size


def test_nano_fits_any_machine():
    assert LIBRARY_BYTES["chat"] < needed_bytes(locate_model("nano")) < LIBRARY_BYTES["chat"] + (100 << 20)


@pytest.mark.parametrize("kind", ["base", "job", "job_base", "gguf"])
def test_what_is_gone_needs_the_libraries(kind, tmp_path):
    location = ModelLocation(kind, tmp_path / "gone")
    assert needed_bytes(location) == LIBRARY_BYTES[location.worker_kind]


def test_training_needs_its_base_and_what_it_trains(lora, full):
    base = weight_bytes(lora.parent / "base")
    adapter, whole = training_bytes(lora), training_bytes(full)
    assert TRAINING_BYTES + base < adapter < TRAINING_BYTES + 2 * base
    assert whole == TRAINING_BYTES + 4 * weight_bytes(full.parent / "base")  # weight, gradient, two moments


def test_training_on_a_file(lora, gguf, tmp_path):
    config = read_json(lora / "config.json") | {"base_dir": str(gguf)}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert training_bytes(tmp_path) > TRAINING_BYTES + gguf.stat().st_size


def test_a_broken_job_needs_what_any_does(tmp_path):
    assert training_bytes(tmp_path) == TRAINING_BYTES
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    assert training_bytes(tmp_path) == TRAINING_BYTES


def test_what_a_process_holds():
    assert resident_bytes(os.getpid()) > 10 << 20
    assert resident_bytes(2**22 + 1) == 0
