"""Blocks of every type that a base may have come back the same to the bit, by llama.cpp's own code or by `gguf`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from llmlora.catalog.gguf_header import TENSOR_TYPES
from llmlora.gguf import backends, native
from llmlora.gguf.blocks import Blocks, dequantize_rows, row_bytes
from llmlora.gguf.container import TYPE_NUMBERS

LEGACY = ("Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
K_QUANTS = ("Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K")
IQ4 = ("IQ4_NL", "IQ4_XS")
NUM_ROWS, LENGTH = 8, 512

needs_native = pytest.mark.skipif(native.native_function("dequantize_row_q4_0") is None, reason="no library here")


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Forget what was found out about the library, before and after."""
    for cached in (native._library, native.dequantizer):
        cached.cache_clear()
    yield
    for cached in (native._library, native.dequantizer):
        cached.cache_clear()


def raw_rows(ggml_type: str) -> np.ndarray:
    rows = np.random.default_rng(3).standard_normal((NUM_ROWS, LENGTH)).astype(np.float32)
    rows[:, 40:48] *= 20  # blocks of other scales
    raw = np.zeros(NUM_ROWS * row_bytes(LENGTH, ggml_type), dtype=np.uint8)
    quantize = backends._native_function()
    assert quantize is not None
    number = TYPE_NUMBERS[ggml_type]
    assert quantize(number, rows.ctypes.data, raw.ctypes.data, 0, NUM_ROWS, LENGTH, None) == raw.nbytes
    return raw


@needs_native
@pytest.mark.parametrize("ggml_type", [*LEGACY, *K_QUANTS, *IQ4])
def test_the_package_reads_blocks_as_llamacpp_reads_them(
    ggml_type: str, forgotten: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = raw_rows(ggml_type)
    assert native.dequantizer(ggml_type) is not None
    expected = dequantize_rows(raw, ggml_type)
    native.dequantizer.cache_clear()
    monkeypatch.setattr(native, "native_function", lambda name: None)
    assert native.dequantizer(ggml_type) is None
    np.testing.assert_array_equal(dequantize_rows(raw, ggml_type), expected)
    assert 0 < np.abs(expected).max() < 200


@needs_native
def test_every_type_with_a_routine_passes_its_test_or_has_none() -> None:
    found = {name: native.dequantizer(name) for name in [*LEGACY, *K_QUANTS, *IQ4]}
    assert all(found.values()), found


def test_a_routine_that_is_a_bit_off_is_left_alone(forgotten: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(raw: int, values: int, count: int) -> None:
        return

    monkeypatch.setattr(native, "native_function", lambda name: wrong)
    assert native.dequantizer("Q4_0") is None


def test_a_type_without_a_rule_is_refused_by_name() -> None:
    with pytest.raises(NotImplementedError):
        dequantize_rows(np.zeros(TENSOR_TYPES[TYPE_NUMBERS["Q8_K"]][2], np.uint8), "Q8_K")


def test_blocks_know_the_shape_of_their_matrix() -> None:
    assert Blocks("Q4_K", np.zeros((3, 288), np.uint8)).shape == (3, 512)
    assert Blocks("Q4_0", np.zeros((3, 36), np.uint8)).shape == (3, 64)
