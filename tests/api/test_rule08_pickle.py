"""R8: weights are safetensors or GGUF; no pickle is opened or written, and no code that a model brings along is run."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from api.test_datasets import upload
from catalog.model_files import model_folder
from cli.command_line import run
from llmlora.catalog.adapter_folder import read_adapter_folder
from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.model_folder import read_model_folder
from llmlora.catalog.safetensors_header import read_safetensors_header
from llmlora.core.errors import ModelFileError
from llmlora.core.job import read_job
from llmlora.core.locale import error_texts, set_language
from llmlora.weights.folder_source import FolderSource

ROOT = Path(__file__).parents[2]
SOURCES = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / "src").rglob("*.py"))}
PICKLE = b"cos\nsystem\n(S'exit 1'\ntR."
NAMES = ["pytorch_model.bin", "model.pt", "model.pth", "last.ckpt", "weights.pkl"]
# What a process hands to its own child, in a folder of its own that is gone afterwards.
OF_ITS_OWN_CHILD = ROOT / "src" / "llmlora" / "export" / "child.py"


def refusal(folder):
    with pytest.raises(ModelFileError) as caught:
        read_model_folder(folder)
    return caught.value


@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_pickles_is_refused_and_says_how_to_convert_it(name, tmp_path):
    folder = model_folder(tmp_path / "model")
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(PICKLE)
    error = refusal(folder)
    assert (error.code, error.params["files"]) == ("pickle_weights", name)
    for language in ("ja", "en"):
        set_language(language)
        assert "safetensors" in error_texts(error)["hint"]


@pytest.mark.parametrize("name", NAMES)
def test_a_file_of_pickles_is_refused_in_the_same_words(name, tmp_path):
    (tmp_path / name).write_bytes(PICKLE)
    with pytest.raises(ModelFileError) as caught:
        resolve_base_model(str(tmp_path / name))
    assert (caught.value.code, caught.value.params["files"]) == ("pickle_weights", name)


@pytest.mark.parametrize("name", ["adapter_model.bin", "adapter_model.pt"])
def test_an_adapter_of_pickles_is_refused(name, tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    (tmp_path / name).write_bytes(PICKLE)
    with pytest.raises(ModelFileError) as caught:
        read_adapter_folder(tmp_path)
    assert (caught.value.code, caught.value.params["files"]) == ("pickle_weights", name)


@pytest.mark.parametrize("mark", [b"PK\x03\x04", b"\x80\x02", b"\x80\x04\x95"])
def test_a_renamed_pickle_is_named_as_such(mark, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(mark + b"\x8a\x0al\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.")
    with pytest.raises(ModelFileError) as caught:
        read_safetensors_header(path)
    assert caught.value.code == "pickle_weights"


def test_a_renamed_pickle_in_a_folder_is_named_as_such(tmp_path):
    folder = model_folder(tmp_path / "model")
    (folder / "model.safetensors").write_bytes(b"PK\x03\x04" + b"\xff" * 20)
    assert refusal(folder).code == "pickle_weights"


def test_pickles_are_never_opened(tmp_path):
    (tmp_path / "pytorch_model.bin").write_bytes(PICKLE)
    with pytest.raises(ModelFileError) as caught:
        FolderSource(tmp_path)
    assert (caught.value.code, caught.value.params["files"]) == ("pickle_weights", "pytorch_model.bin")


@pytest.mark.parametrize("name", ["data.jsonl", "data.pkl"])
def test_a_pickle_is_no_dataset(client, name):
    answer = upload(client, b"\x80\x04\x95" + PICKLE, name)
    assert (answer.status_code, answer.json()["code"]) == (422, "binary_file")


def test_no_module_reads_or_writes_pickles():
    known = re.compile(
        r"\bpickle\b\.|import pickle|torch\.(load|save)\(|allow_pickle=True|\bjoblib\b|\bmarshal\b|shelve"
    )
    assert [path for path, text in SOURCES.items() if known.search(text)] == [OF_ITS_OWN_CHILD]


def test_nothing_that_a_training_leaves_is_a_pickle(place, tmp_path):
    words = ("--model", place / "base", "--data", place / "data.jsonl", "--out", tmp_path / "job")
    settings = ("--set", "max_steps=2", "--set", "save_steps=1", "--set", "max_length=64")
    assert run("train", *words, *settings).code == 0
    files = [path for path in (tmp_path / "job").rglob("*") if path.is_file()]
    assert any("checkpoints" in path.parts for path in files)
    assert not [path for path in files if path.suffix in {".bin", ".pt", ".pth", ".ckpt", ".pkl"}]
    assert not [path for path in files if path.read_bytes()[:2] in (b"PK", b"\x80\x02", b"\x80\x04", b"\x80\x05")]
    assert read_job(tmp_path / "job").base_digest == resolve_base_model(str(place / "base")).digest


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ({"auto_map": {"AutoModelForCausalLM": "evil.Model"}}, "model_needs_code"),
        ({"text": {"trust_remote_code": True}}, "model_needs_code"),
        ({"_attn_implementation_internal": "x/y"}, "model_config_hostile"),
        ({"_attn_implementation": "eager"}, "model_config_hostile"),
        ({"nested": [{"_private": 1}]}, "model_config_hostile"),
        ({"attn_implementation": "someone/kernels"}, "model_config_hostile"),
    ],
)
def test_a_model_that_needs_code_of_its_own_is_refused(config, code, tmp_path):
    assert refusal(model_folder(tmp_path / "m", **config)).code == code


def test_a_tokenizer_that_needs_code_of_its_own_is_refused(tmp_path):
    folder = model_folder(tmp_path / "m")
    (folder / "tokenizer_config.json").write_text('{"auto_map": {}}')
    assert refusal(folder).code == "model_needs_code"


def test_nobody_can_allow_it(client, place):
    """There is no switch at all: not over HTTP, not as a setting of a job, not in the source."""
    settings = client.patch("/api/settings", json={"remote_code": True})
    assert (settings.status_code, settings.json()["code"]) == (422, "request_invalid")
    words = ("train", "--model", place / "base", "--data", place / "data.jsonl", "--json")
    refused = run(*words, "--set", "trust_remote_code=true")
    assert (refused.code, "trust_remote_code" in refused.stderr) == (2, True)
    given = re.compile(r"trust_remote_code=(?!False\b)")
    assert [path for path, text in SOURCES.items() if given.search(text)] == []


def test_the_libraries_are_those_without_known_holes():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [
        *project["dependencies"],
        *(name for extra in project["optional-dependencies"].values() for name in extra),
    ]
    (transformers,) = {name for name in wanted if re.match(r"transformers\b", name)}
    floor = re.search(r">=(\d+)\.(\d+)", transformers)
    assert (int(floor[1]), int(floor[2])) >= (5, 3)
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert not [name for name in (*wanted, *pinned.splitlines()) if re.match(r"kernels\b", name)]
