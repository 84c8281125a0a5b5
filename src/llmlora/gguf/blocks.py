"""Blocks of quantised values: sizes, and back to float32."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

import gguf
from gguf import quants
from llmlora.catalog.gguf_header import TENSOR_TYPES
from llmlora.gguf.container import TYPE_NUMBERS
from llmlora.gguf.native import dequantizer

VALUES_AT_ONCE = 1 << 20


@dataclass(frozen=True)
class Blocks:
    """A matrix in blocks: their type, and the bytes of each row as a contiguous array (rows, bytes of a row)."""

    ggml_type: str
    rows: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of the matrix."""
        _, block, width = TENSOR_TYPES[TYPE_NUMBERS[self.ggml_type]]
        return self.rows.shape[0], self.rows.shape[1] // width * block


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
    _, block, width = TENSOR_TYPES[TYPE_NUMBERS[ggml_type]]
    values = np.empty(raw.size // width * block, dtype=np.float32)
    dequantize_into(values, raw, ggml_type)
    return values


def dequantize_into(values: np.ndarray, raw: np.ndarray, ggml_type: str) -> None:
    """Write the values of whole blocks, contiguous bytes, into a float32 array; raises as `dequantize_rows`.

    llama.cpp's code is used where it is there, else `gguf.quants`: the numbers are the same to the bit.
    """
    native = dequantizer(ggml_type)
    if native is not None:
        native(raw, values)
        return
    number = TYPE_NUMBERS[ggml_type]
    _, block, width = TENSOR_TYPES[number]
    kind, step = gguf.GGMLQuantizationType(number), VALUES_AT_ONCE // block * width
    for start in range(0, raw.size, step):
        # One long row: gguf takes 16 rows at a time, and a call for every 16 blocks would take ten times as long.
        piece = quants.dequantize(raw[start : start + step].reshape(1, -1), kind)
        place = start // width * block
        values[place : place + piece.size] = piece.reshape(-1)
