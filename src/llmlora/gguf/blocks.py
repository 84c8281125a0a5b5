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


def dequantize_rows(raw: np.ndarray, ggml_type: str) -> np.ndarray:
    """Return the float32 values of raw bytes, flat; raises NotImplementedError for types without a rule."""
    if ggml_type == "F32":
        return raw.view("<f4")
    if ggml_type == "F16":
        return raw.view("<f2").astype(np.float32)
    if ggml_type == "BF16":
        return (raw.view("<u2").astype(np.uint32) << 16).view(np.float32)
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
