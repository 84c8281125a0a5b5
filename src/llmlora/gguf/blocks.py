"""Blocks of quantised values: sizes, and back to float32."""

from __future__ import annotations

import numpy as np

import gguf
from gguf import quants
from llmlora.catalog.gguf_header import TENSOR_TYPES
from llmlora.gguf.container import TYPE_NUMBERS

VALUES_AT_ONCE = 1 << 20


def block_size(ggml_type: str) -> int:
    """Return how many values of a row share one block."""
    return TENSOR_TYPES[TYPE_NUMBERS[ggml_type]][1]


def row_bytes(num_values: int, ggml_type: str) -> int:
    """Return the bytes of one row; its length must be a multiple of the block."""
    _, block, width = TENSOR_TYPES[TYPE_NUMBERS[ggml_type]]
    return num_values // block * width


def round_bfloat16(values: np.ndarray) -> np.ndarray:
    """Return the bits (uint16) of the bfloat16 nearest to each float32, ties to even, as torch and llama.cpp round.

    The values are finite; a NaN could turn into infinity.
    """
    bits = values.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


def widen_bfloat16(stored: np.ndarray) -> np.ndarray:
    """Return the float32 values of bfloat16 bits (uint16)."""
    return (stored.astype(np.uint32) << 16).view(np.float32)


def dequantize_rows(raw: np.ndarray, ggml_type: str) -> np.ndarray:
    """Return the float32 values of raw bytes, flat; raises NotImplementedError for types without a rule."""
    if ggml_type == "F32":
        return raw.view("<f4")
    if ggml_type == "F16":
        return raw.view("<f2").astype(np.float32)
    if ggml_type == "BF16":
        return widen_bfloat16(raw.view("<u2"))
    number = TYPE_NUMBERS[ggml_type]
    _, block, width = TENSOR_TYPES[number]
    kind, step = gguf.GGMLQuantizationType(number), VALUES_AT_ONCE // block * width
    values = np.empty(raw.size // width * block, dtype=np.float32)
    for start in range(0, raw.size, step):
        # One long row: gguf takes 16 rows at a time, and a call for every 16 blocks would take ten times as long.
        piece = quants.dequantize(raw[start : start + step].reshape(1, -1), kind)
        place = start // width * block
        values[place : place + piece.size] = piece.reshape(-1)
    return values
