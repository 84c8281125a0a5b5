"""Weights from a folder: every float type exactly, shards, and refusals."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmlora.core.errors import ModelFileError
from llmlora.weights.folder_source import FolderSource, weight_files

Tensors = dict[str, tuple[str, np.ndarray]]
VALUES = np.array([[0.0, -1.5, 3.0e-3], [1e-40, 65_504.0, 2.0**-14]], dtype=np.float32)


def safetensors(tensors: Tensors) -> bytes:
    header: dict[str, Any] = {}
    data = b""
    for name, (kind, values) in tensors.items():
        raw = values.tobytes()
        header[name] = {
            "dtype": kind,
            "shape": list(values.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data


def write_single(folder: Path, tensors: Tensors) -> Path:
    (folder / "model.safetensors").write_bytes(safetensors(tensors))
    return folder


def as_bfloat16(values: np.ndarray) -> np.ndarray:
    return (values.view(np.uint32) >> 16).astype(np.uint16)


def test_float_types_become_the_same_float32(tmp_path: Path) -> None:
    bits = as_bfloat16(VALUES)
    write_single(
        tmp_path,
        {
            "f32": ("F32", VALUES),
            "f16": ("F16", VALUES.astype(np.float16)),
            "f64": ("F64", VALUES.astype(np.float64)),
            "bf16": ("BF16", bits),
        },
    )
    source = FolderSource(tmp_path)
    assert source.names() == ["f32", "f16", "f64", "bf16"]
    expected = {
        "f32": VALUES,
        "f64": VALUES,
        "f16": VALUES.astype(np.float16).astype(np.float32),
        "bf16": (bits.astype(np.uint32) << 16).view(np.float32),
    }
    for name, values in expected.items():
        found = source.read(name)
        assert (found.dtype, source.shape(name)) == (np.float32, (2, 3))
        np.testing.assert_array_equal(found, values)


def test_a_vector_and_a_scalar_keep_their_shapes(tmp_path: Path) -> None:
    write_single(tmp_path, {"v": ("F32", VALUES[0].copy()), "s": ("F32", np.array(2.0, np.float32))})
    source = FolderSource(tmp_path)
    assert source.read("v").shape == (3,)
    assert source.read("s").shape == ()
    assert source.read("s") == 2.0


def write_shards(folder: Path, weight_map: dict[str, str]) -> Path:
    for number, name in enumerate(("a", "b")):
        content = safetensors({name: ("F32", VALUES + number)})
        (folder / f"model-{number + 1}.safetensors").write_bytes(content)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": weight_map}))
    return folder


def test_shards_are_one_source(tmp_path: Path) -> None:
    write_shards(tmp_path, {"a": "model-1.safetensors", "b": "model-2.safetensors"})
    source = FolderSource(tmp_path)
    assert source.names() == ["a", "b"]
    np.testing.assert_array_equal(source.read("b"), VALUES + 1)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("model-3.safetensors", "model_shards_missing"),
        ("../model-1.safetensors", "model_shards_invalid"),
        ("model.bin", "model_shards_invalid"),
    ],
)
def test_an_index_with_bad_names_is_refused(name: str, code: str, tmp_path: Path) -> None:
    write_shards(tmp_path, {"a": "model-1.safetensors", "b": name})
    with pytest.raises(ModelFileError) as caught:
        FolderSource(tmp_path)
    assert caught.value.code == code


def test_an_empty_index_is_refused(tmp_path: Path) -> None:
    write_shards(tmp_path, {})
    with pytest.raises(ModelFileError, match="model_shards_invalid"):
        weight_files(tmp_path)


def test_the_same_tensor_in_two_shards_is_refused(tmp_path: Path) -> None:
    write_shards(tmp_path, {"a": "model-1.safetensors", "b": "model-2.safetensors"})
    (tmp_path / "model-2.safetensors").write_bytes(safetensors({"a": ("F32", VALUES)}))
    with pytest.raises(ModelFileError, match="model_shards_invalid"):
        FolderSource(tmp_path)


def test_a_folder_without_weights_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="model_weights_not_found"):
        FolderSource(tmp_path)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_numbers_are_refused_by_name(value: float, tmp_path: Path) -> None:
    broken = VALUES.copy()
    broken[1, 2] = value
    source = FolderSource(write_single(tmp_path, {"good": ("F32", VALUES), "bad": ("F32", broken)}))
    source.read("good")
    with pytest.raises(ModelFileError) as caught:
        source.read("bad")
    assert (caught.value.code, caught.value.params["name"]) == ("weights_not_finite", "bad")


def test_integer_weights_are_refused(tmp_path: Path) -> None:
    source = FolderSource(write_single(tmp_path, {"q": ("I8", np.ones(4, np.int8))}))
    with pytest.raises(ModelFileError) as caught:
        source.read("q")
    assert (caught.value.code, caught.value.params["dtype"]) == ("weights_not_float", "I8")


def test_a_file_that_shrinks_while_open_is_told(tmp_path: Path) -> None:
    source = FolderSource(write_single(tmp_path, {"a": ("F32", VALUES)}))
    whole = (tmp_path / "model.safetensors").read_bytes()
    (tmp_path / "model.safetensors").write_bytes(whole[:-4])
    with pytest.raises(ModelFileError, match="safetensors_invalid"):
        source.read("a")


@pytest.mark.parametrize(
    ("head", "layer", "embedding"),
    [
        ("lm_head.weight", "model.layers.0.a", "model.embed_tokens.weight"),
        ("lm_head.weight", "layers.0.a", "embed_tokens.weight"),
        ("lm_head.weight", "transformer.h.0.a", "transformer.wte.weight"),
        ("embed_out.weight", "gpt_neox.layers.0.a", "gpt_neox.embed_in.weight"),
    ],
)
def test_the_one_tensor_of_a_tied_model_is_the_embedding(head: str, layer: str, embedding: str, tmp_path: Path) -> None:
    write_single(tmp_path, {head: ("F32", VALUES), layer: ("F32", VALUES)})
    source = FolderSource(tmp_path)
    assert source.names() == [embedding, layer]
    assert np.array_equal(source.read(embedding), VALUES)


@pytest.mark.parametrize(
    "embedding",
    ["model.embed_tokens", "backbone.embeddings", "model.embeddings.tok_embeddings", "transformer.tokens_embed"],
)
def test_a_model_with_both_keeps_both(embedding: str, tmp_path: Path) -> None:
    """The embedding of Mamba 2, Nemotron H and xLSTM has another name; their own projection was taken for it."""
    names = ["lm_head.weight", f"{embedding}.weight", "model.layers.0.a"]
    write_single(tmp_path, dict.fromkeys(names, ("F32", VALUES)))
    assert FolderSource(tmp_path).names() == names
