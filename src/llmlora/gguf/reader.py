"""Read tensors back out of a GGUF file, as float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from llmlora.catalog.gguf_header import GgufHeader
from llmlora.core.errors import ModelFileError
from llmlora.gguf.blocks import dequantize_rows


def read_tensor(path: Path, header: GgufHeader, name: str) -> np.ndarray:
    """Return one tensor, dequantised, shape outermost first.

    Raises:
        KeyError: no tensor of that name.
        ModelFileError: `gguf_tensor_type` for a type that has no dequantisation here.
    """
    tensor = header.tensor(name)
    raw = np.fromfile(path, dtype=np.uint8, count=tensor.num_bytes, offset=tensor.offset)
    try:
        values = dequantize_rows(raw.reshape(-1), tensor.ggml_type)
    except NotImplementedError as error:
        raise ModelFileError("gguf_tensor_type", path=str(path), name=name, type=tensor.ggml_type) from error
    return values.reshape(tensor.shape)
