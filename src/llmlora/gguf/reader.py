"""Read tensors back out of a GGUF file, as float32."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from llmlora.catalog.gguf_header import GgufHeader, GgufTensor
from llmlora.core.errors import ModelFileError
from llmlora.gguf.blocks import dequantize_rows, row_bytes


def read_tensor(path: Path, header: GgufHeader, name: str) -> np.ndarray:
    """Return one tensor, dequantised, shape outermost first.

    Raises:
        KeyError: no tensor of that name.
        ModelFileError: `gguf_tensor_type` for a type that has no dequantisation here.
    """
    return read_values(path, header.tensor(name))


def read_values(path: Path, tensor: GgufTensor) -> np.ndarray:
    """Return a tensor of a file, dequantised, shape outermost first; raises ModelFileError as `read_tensor`."""
    raw = np.fromfile(path, dtype=np.uint8, count=tensor.num_bytes, offset=tensor.offset)
    return _values(path, tensor, raw).reshape(tensor.shape)


def iter_rows(path: Path, tensor: GgufTensor, num_rows: int) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield a tensor in pieces of whole rows: number of the first row, bytes, and float32 values (rows, length).

    Raises:
        ModelFileError: `gguf_tensor_type` for a type that has no dequantisation here.
    """
    length = tensor.shape[-1]
    width = row_bytes(length, tensor.ggml_type)
    with path.open("rb") as stream:
        stream.seek(tensor.offset)
        for start in range(0, tensor.num_bytes // width, num_rows):
            left = tensor.num_bytes - start * width
            raw = np.frombuffer(stream.read(min(num_rows * width, left)), dtype=np.uint8)
            yield start, raw, _values(path, tensor, raw).reshape(-1, length)


def _values(path: Path, tensor: GgufTensor, raw: np.ndarray) -> np.ndarray:
    try:
        return dequantize_rows(raw, tensor.ggml_type)
    except NotImplementedError as error:
        raise ModelFileError("gguf_tensor_type", path=str(path), name=tensor.name, type=tensor.ggml_type) from error
