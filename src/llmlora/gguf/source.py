"""Where the weights of a GGUF file come from: one float32 tensor at a time, whatever they are stored in."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np

from llmlora.catalog.safetensors_header import TensorInfo
from llmlora.core.errors import ModelFileError
from llmlora.gguf.blocks import widen_bfloat16

_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"}


class TensorSource(Protocol):
    """Named tensors, read one by one; names and shapes are those of the Hugging Face model."""

    def names(self) -> list[str]:
        """Return the names of all tensors."""

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape without reading it."""

    def read(self, name: str) -> np.ndarray:
        """Return a tensor as float32; the caller may keep it, the source does not."""


def float32_bytes(source: TensorSource) -> int:
    """Return the bytes of all tensors of a source in float32."""
    return sum(4 * int(np.prod(source.shape(name), dtype=np.int64)) for name in source.names())


def read_float_tensor(path: Path, data_offset: int, info: TensorInfo) -> np.ndarray:
    """Return one tensor of a safetensors file as float32; raises ModelFileError(weights_not_float)."""
    if info.dtype not in _FLOATS:
        raise ModelFileError("weights_not_float", path=str(path), name=info.name, dtype=info.dtype)
    kind = np.dtype(_FLOATS[info.dtype])
    raw = np.fromfile(path, dtype=kind, count=info.num_elements, offset=data_offset + info.start)
    if len(raw) != info.num_elements:
        raise ModelFileError("safetensors_invalid", path=str(path), reason="cut_off", detail=info.name)
    if info.dtype == "BF16":
        # numpy has no bfloat16: its bits are the upper half of a float32's.
        return widen_bfloat16(raw).reshape(info.shape)
    return raw.astype(np.float32, copy=False).reshape(info.shape)
