"""A GGUF model is described from its headers alone, also one that lies in several files."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.gguf_files import read_gguf_files
from llmlora.core.errors import ModelFileError
from llmlora.gguf.gguf_source import GgufSource
from ollama_store import OllamaStore
from reference_model import export
from split_gguf import split_file
from tiny_models import tiny_model

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    return export(tiny_model("llama", folder / "model"), folder / "whole.gguf", "F16")


def test_one_file_is_described(whole: Path) -> None:
    base = resolve_base_model(str(whole))
    assert (base.kind, base.architecture, base.dtype, base.context_length) == ("gguf", "llama", "F16", 512)
    assert base.num_parameters == sum(np.prod(GgufSource(whole).shape(name)) for name in GgufSource(whole).names())
    assert (base.num_bytes, base.is_opened, base.tensors) == (whole.stat().st_size, False, ())


def test_a_relative_name_needs_no_slash(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(whole.parent)
    assert resolve_base_model("whole.gguf").digest == resolve_base_model(str(whole)).digest


def test_any_part_stands_for_the_whole(whole: Path, tmp_path: Path) -> None:
    parts = split_file(whole, tmp_path, 3)
    assert parts[1].name == "model-00002-of-00003.gguf"
    found = [read_gguf_files(part) for part in parts]
    assert all(files.paths == tuple(parts) for files in found)
    assert len({files.digest for files in found}) == 1
    split, single = GgufSource(parts[2]), GgufSource(whole)
    assert split.config == single.config
    for name in single.names():
        np.testing.assert_array_equal(split.read(name), single.read(name))


def test_parts_in_an_ollama_store_are_found_by_its_manifest(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = OllamaStore(tmp_path / "store")
    monkeypatch.setenv("OLLAMA_MODELS", str(store.root))
    parts = split_file(whole, tmp_path, 2)
    store.add("registry.ollama.ai/library/tiny/latest", store.manifest([("model", part) for part in parts]))
    base = resolve_base_model("ollama:tiny")
    assert base.digest == resolve_base_model(str(base.path)).digest == read_gguf_files(parts[0]).digest
    assert base.num_parameters == resolve_base_model(str(whole)).num_parameters


def test_a_missing_part_is_named(whole: Path, tmp_path: Path) -> None:
    parts = split_file(whole, tmp_path, 3)
    parts[1].unlink()
    with pytest.raises(ModelFileError, match="gguf_part_missing") as caught:
        read_gguf_files(parts[0])
    assert caught.value.params["number"] == 2


def test_parts_in_the_wrong_order_are_refused(whole: Path, tmp_path: Path) -> None:
    parts = split_file(whole, tmp_path, 2)
    shutil.copyfile(parts[0], parts[1])
    with pytest.raises(ModelFileError, match="gguf_part_missing"):
        read_gguf_files(parts[0])


def test_a_renamed_part_cannot_be_completed(whole: Path, tmp_path: Path) -> None:
    alone = split_file(whole, tmp_path, 2)[0].rename(tmp_path / "alone.gguf")
    with pytest.raises(ModelFileError, match="gguf_part_missing"):
        read_gguf_files(alone)
