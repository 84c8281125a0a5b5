"""Blocks of quantised values: sizes, and back to float32."""

from __future__ import annotations

import numpy as np

import gguf
from gguf import quants
from llmlora.catalog.gguf_header import TENSOR_TYPES
from llmlora.gguf.container import TYPE_NUMBERS


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
    blocks = raw.reshape(-1, TENSOR_TYPES[number][2])
    values = quants.dequantize(blocks, gguf.GGMLQuantizationType(number))
    return np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
