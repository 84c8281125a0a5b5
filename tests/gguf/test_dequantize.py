"""Blocks of every type that a base may have come back as llama.cpp's own code reads them, to the bit."""

from __future__ import annotations

import ctypes

import numpy as np
import pytest

from llmlora.catalog.gguf_header import TENSOR_TYPES
from llmlora.gguf import backends
from llmlora.gguf.blocks import dequantize_rows, row_bytes
from llmlora.gguf.container import TYPE_NUMBERS

LEGACY = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
K_QUANTS = ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
IQ4 = ("IQ4_NL", "IQ4_XS")
NUM_ROWS, LENGTH = 8, 512


@pytest.fixture(scope="module")
def library() -> ctypes.CDLL:
    path = backends._library_path()
    assert path is not None
    return ctypes.CDLL(str(path))


@pytest.mark.parametrize("ggml_type", [*LEGACY, *K_QUANTS, *IQ4])
def test_blocks_are_read_as_llamacpp_reads_them(ggml_type: str, library: ctypes.CDLL) -> None:
    rows = np.random.default_rng(3).standard_normal((NUM_ROWS, LENGTH)).astype(np.float32)
    rows[:, 40:48] *= 20  # blocks of other scales
    raw = np.zeros(NUM_ROWS * row_bytes(LENGTH, ggml_type), dtype=np.uint8)
    quantize = backends._native_function()
    assert quantize is not None
    number = TYPE_NUMBERS[ggml_type]
    assert quantize(number, rows.ctypes.data, raw.ctypes.data, 0, NUM_ROWS, LENGTH, None) == raw.nbytes
    expected = np.zeros(rows.size, dtype=np.float32)
    dequantize = getattr(library, f"dequantize_row_{TENSOR_TYPES[number][0].lower().replace('_k', '_K')}")
    dequantize.argtypes, dequantize.restype = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64], None
    dequantize(raw.ctypes.data, expected.ctypes.data, expected.size)
    np.testing.assert_array_equal(dequantize_rows(raw, ggml_type), expected)
    assert np.abs(expected - rows.reshape(-1)).max() < np.abs(rows).max()
