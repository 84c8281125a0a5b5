from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from catalog.model_files import model_folder, write_weights
from llmlora.catalog import base_model, file_digests
from llmlora.catalog.base_model import list_base_models, resolve_base_model
from llmlora.core.errors import ModelFileError, NotFound, exit_code_of
from llmlora.core.locale import LANGUAGES, error_texts, set_language

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the package one bundled model of the name `tiny`."""
    folder = model_folder(tmp_path / "bundled" / "tiny")
    monkeypatch.setattr(base_model, "bundled_models", lambda: {"tiny": folder})
    return folder


def test_a_bundled_name_and_a_folder_are_found(bundled: Path, tmp_path: Path) -> None:
    assert resolve_base_model("tiny").kind == "bundled"
    found = resolve_base_model(str(bundled))
    assert (found.kind, found.path, found.name) == ("folder", bundled, str(bundled))
    assert found.to_dict()["architecture"] == "LlamaForCausalLM"
    assert json.dumps(found.to_dict())


def test_relative_folders_need_a_slash_or_a_dot(bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model_folder(tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    assert resolve_base_model("./mine").vocab_size == 6
    with pytest.raises(NotFound):
        resolve_base_model("mine")


def test_a_bundled_name_wins_over_a_folder_of_that_name(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model_folder(tmp_path / "tiny", max_position_embeddings=64)
    monkeypatch.chdir(tmp_path)
    assert resolve_base_model("tiny").context_length == 128
    assert resolve_base_model("./tiny").context_length == 64


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("llama2:7b", "model_not_found"),
        ("", "model_not_found"),
        ("gpt2", "model_not_found"),
        ("TINY", "model_not_found"),
        ("./no/such/folder", "model_not_found"),
        ("/no/such/folder", "model_not_found"),
        ("x" * 5000, "model_not_found"),
        ("./" + "x" * 5000, "model_not_found"),
        ("./a\0b", "model_not_found"),
        ("google/gemma-3-1b-it", "model_on_hub"),
        ("google/gemma-3-1b-it@main", "model_on_hub"),
        ("model.gguf", "model_not_found"),
        ("https://example.com/model", "model_not_found"),
    ],
)
def test_nothing_is_ever_substituted(name: str, code: str, bundled: Path) -> None:
    with pytest.raises(NotFound) as caught:
        resolve_base_model(name)
    assert caught.value.code == code
    assert exit_code_of(caught.value) == 3
    for language in LANGUAGES:
        set_language(language)
        texts = error_texts(caught.value)
        assert texts["hint"] and (name in texts["what"] if code == "model_on_hub" else "tiny" in texts["why"])


def test_a_folder_named_without_a_slash_is_told_how_to_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was said that no such folder exists."""
    model_folder(tmp_path / "my-model")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFound) as caught:
        resolve_base_model("my-model")
    assert caught.value.code == "folder_without_slash"
    for language in LANGUAGES:
        set_language(language)
        assert "--model ./my-model" in error_texts(caught.value)["hint"]


def test_hostile_folders_are_refused_with_exit_code_4(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m", auto_map={"AutoConfig": "evil.Config"})
    with pytest.raises(ModelFileError) as caught:
        resolve_base_model(str(folder))
    assert exit_code_of(caught.value) == 4


def test_the_digest_changes_with_every_file_that_matters(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    digests = [resolve_base_model(str(folder)).digest]
    write_weights(folder / "model.safetensors", fill=b"\1")
    os.utime(folder / "model.safetensors", (1, 1))
    digests.append(resolve_base_model(str(folder)).digest)
    model_folder(folder, rope_theta=5e5)
    digests.append(resolve_base_model(str(folder)).digest)
    (folder / "chat_template.jinja").write_text("{{ messages }}", encoding="utf-8")
    digests.append(resolve_base_model(str(folder)).digest)
    assert len(set(digests)) == 4
    (folder / "notes.txt").write_text("not part of the model", encoding="utf-8")
    assert resolve_base_model(str(folder)).digest == digests[-1]


def test_the_digest_does_not_depend_on_the_place(tmp_path: Path) -> None:
    digests = {resolve_base_model(str(model_folder(tmp_path / name))).digest for name in ("a", "b")}
    assert len(digests) == 1


def test_hashes_are_remembered(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "m")
    first = resolve_base_model(str(folder)).digest
    monkeypatch.setattr(file_digests, "sha256_file", lambda path: pytest.fail(f"hashed {path} again"))
    assert resolve_base_model(str(folder)).digest == first


@pytest.mark.parametrize("content", ["", "[1]", "{", '"text"'])
def test_a_damaged_cache_is_only_a_cache(content: str, tmp_path: Path, home: Path) -> None:
    (home / "model-digests.json").write_text(content, encoding="utf-8")
    folder = model_folder(tmp_path / "m")
    first = resolve_base_model(str(folder)).digest
    (home / "model-digests.json").unlink()
    assert resolve_base_model(str(folder)).digest == first


def test_recommended_values_cannot_name_files_or_services(tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    values = {"learning_rate": 3e-3, "init_adapter": "/etc", "report_to": "wandb", "chat_template": "x", "odd": 1}
    (folder / "llmlora.json").write_text(json.dumps({"training": values}), encoding="utf-8")
    assert resolve_base_model(str(folder)).recommended == {"learning_rate": 3e-3}


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("---\nlanguage: ja\nlicense: cc0-1.0\n---\n# Model\n", "cc0-1.0"),
        ("---\nlicense: 'apache-2.0'\n---\n", "apache-2.0"),
        ("# Model\nlicense: mit\n", None),
        ("", None),
    ],
)
def test_the_licence_comes_from_the_front_matter(card: str, expected: str | None, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "m")
    (folder / "README.md").write_text(card, encoding="utf-8")
    assert resolve_base_model(str(folder)).license == expected


def test_every_bundled_model_is_sound() -> None:
    assert all(model.kind == "bundled" and model.license for model in list_base_models())
