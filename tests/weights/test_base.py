"""A base is opened without reading weights, and hands out its tensors as they are stored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from llmlora.core.errors import ModelFileError
from llmlora.prepare.template import own_text
from llmlora.weights.base import open_base, open_folder
from llmlora.weights.folder_source import FolderSource
from reference_model import config_of, export
from tiny_models import tiny_model


def test_a_folder_is_opened_without_its_weights(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model")
    (folder / "model.safetensors").unlink()
    base = open_folder(folder)
    assert (base.path, base.tokenizer_dir, base.config) == (folder, folder, config_of(folder))
    assert base.context_length == 512
    with pytest.raises(ModelFileError, match="model_weights_not_found"):
        _ = base.source


def test_a_tokenizer_alone_has_no_context(tmp_path: Path) -> None:
    assert open_folder(tmp_path).context_length is None


def test_a_gguf_file_is_a_base_too(tmp_path: Path, home: Path) -> None:
    folder = tiny_model("qwen2", tmp_path / "model")
    base, original = open_base(export(folder, tmp_path / "model.gguf")), open_base(folder)
    assert base.tokenizer_dir.is_relative_to(home)
    assert (base.tokenizer_dir / "chat_template.jinja").read_text("utf-8") == own_text(folder)
    assert base.context_length == original.context_length
    assert sorted(base.source.names()) == sorted(original.source.names())
    for name in base.source.names():
        assert base.source.dtype(name) == "F32"
        stored = base.source.stored(name)
        assert stored.flags.c_contiguous
        assert stored.flags.writeable
        np.testing.assert_array_equal(stored, original.source.read(name))


@pytest.mark.parametrize(("dtype", "kind", "item"), [("bfloat16", "BF16", "u2"), ("float16", "F16", "f2")])
def test_stored_numbers_are_the_files_and_changing_them_changes_no_file(
    dtype: str, kind: str, item: str, tmp_path: Path
) -> None:
    source = FolderSource(tiny_model("llama", tmp_path / "model", dtype=dtype))
    name = "model.layers.1.mlp.up_proj.weight"
    before, stored = source.read(name), source.stored(name)
    assert (source.dtype(name), stored.dtype, stored.shape) == (kind, np.dtype(item), source.shape(name))
    wide = (stored.astype(np.uint32) << 16).view(np.float32) if kind == "BF16" else stored.astype(np.float32)
    np.testing.assert_array_equal(wide, before)
    stored[:] = 0
    np.testing.assert_array_equal(source.read(name), before)


def test_a_file_that_is_cut_after_it_was_opened_is_told(tmp_path: Path) -> None:
    folder = tiny_model("llama", tmp_path / "model")
    source, path = FolderSource(folder), folder / "model.safetensors"
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size - 4)
    last = max(source.names(), key=lambda name: source._places[name][2].end)
    with pytest.raises(ModelFileError, match="safetensors_invalid"):
        source.stored(last)
