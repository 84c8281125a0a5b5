"""Tensors read back: every type that is written, equal to the gguf package's dequantisation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import gguf
from gguf import quants
from llmlora.catalog.gguf_header import TENSOR_TYPES, read_gguf_header
from llmlora.core.errors import ModelFileError
from llmlora.gguf.blocks import block_size, dequantize_rows, row_bytes
from llmlora.gguf.container import TYPE_NUMBERS, TensorPlan, write_container
from llmlora.gguf.reader import read_tensor

QUANTISED = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")


def random_blocks(kind: str, rows: int = 3, length: int = 512) -> np.ndarray:
    """Return bytes of a type with small finite scales in every place where a scale can be."""
    raw = np.random.default_rng(3).integers(0, 60, rows * row_bytes(length, kind), dtype=np.uint8)
    return raw


@pytest.mark.parametrize("kind", QUANTISED)
def test_blocks_are_those_of_the_gguf_package(kind: str, tmp_path: Path) -> None:
    raw = random_blocks(kind)
    path = tmp_path / "a.gguf"
    write_container(path, {}, [TensorPlan("w.weight", (3, 512), kind, lambda: iter([raw]))])
    found = read_tensor(path, read_gguf_header(path), "w.weight")
    expected = quants.dequantize(raw.reshape(3, -1), gguf.GGMLQuantizationType[kind])
    assert (found.shape, found.dtype) == ((3, 512), np.float32)
    np.testing.assert_array_equal(found, expected)


def test_float_types_are_exact() -> None:
    values = np.array([1.5, -0.25, 3e4], dtype=np.float32)
    np.testing.assert_array_equal(dequantize_rows(values.view(np.uint8), "F32"), values)
    np.testing.assert_array_equal(dequantize_rows(values.astype(np.float16).view(np.uint8), "F16"), values)
    bits = (values.view(np.uint32) >> 16).astype(np.uint16)
    np.testing.assert_array_equal(dequantize_rows(bits.view(np.uint8), "BF16"), [1.5, -0.25, 29_952.0])


def test_a_type_without_a_rule_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    raw = np.zeros(292, np.uint8)
    write_container(path, {}, [TensorPlan("w.weight", (1, 256), "Q8_K", lambda: iter([raw]))])
    with pytest.raises(ModelFileError) as caught:
        read_tensor(path, read_gguf_header(path), "w.weight")
    assert (caught.value.code, caught.value.params["type"]) == ("gguf_tensor_type", "Q8_K")


def test_a_missing_tensor_is_a_key_error(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_container(path, {"a": 1}, [])
    with pytest.raises(KeyError):
        read_tensor(path, read_gguf_header(path), "w.weight")


def test_sizes() -> None:
    assert (block_size("Q4_K"), block_size("Q8_0"), block_size("F16")) == (256, 32, 1)
    assert row_bytes(512, "Q6_K") == 420
    assert {TENSOR_TYPES[number][0] for number in TYPE_NUMBERS.values()} == set(TYPE_NUMBERS)
