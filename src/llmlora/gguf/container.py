"""The GGUF container: metadata, tensor directory and data, written front to back with one tensor in memory."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from llmlora.catalog.gguf_header import ARRAY, BOOL, DEFAULT_ALIGNMENT, MAGIC, SCALARS, STRING, TENSOR_TYPES

VERSION = 3
UINT8, UINT32, INT32, FLOAT32 = 0, 4, 5, 6
TYPE_NUMBERS = {name: number for number, (name, _, _) in TENSOR_TYPES.items()}

OnProgress = Callable[[int, int], None]


@dataclass(frozen=True)
class TensorPlan:
    """One tensor to write: `shape` outermost first; `chunks` yields its bytes in order when asked."""

    name: str
    shape: tuple[int, ...]
    ggml_type: str
    chunks: Callable[[], Iterator[np.ndarray]]

    @property
    def num_bytes(self) -> int:
        """Bytes of the tensor in the file."""
        return tensor_bytes(self.shape, self.ggml_type)


def tensor_bytes(shape: Sequence[int], ggml_type: str) -> int:
    """Return how many bytes a tensor takes; its rows must be a multiple of the type's block."""
    _, block, width = TENSOR_TYPES[TYPE_NUMBERS[ggml_type]]
    num_values = 1
    for size in shape:
        num_values *= size
    return num_values // block * width


def write_container(
    output: Path,
    metadata: Mapping[str, Any],
    tensors: Sequence[TensorPlan],
    value_types: Mapping[str, tuple[int, int]] | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Write a whole file to `output`.

    A value's type follows from its Python type (int UINT32, float FLOAT32, list of int INT32, bytes UINT8 array) unless
    `value_types` names it. `on_progress` gets bytes of tensor data written and their total.
    """
    total = sum(tensor.num_bytes for tensor in tensors)
    done = 0
    with output.open("wb") as stream:
        stream.write(_header(metadata, tensors, value_types or {}))
        for tensor in tensors:
            _write_tensor(stream, tensor)
            done += tensor.num_bytes
            if on_progress is not None:
                on_progress(done, total)


def _header(
    metadata: Mapping[str, Any], tensors: Sequence[TensorPlan], value_types: Mapping[str, tuple[int, int]]
) -> bytes:
    parts = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(metadata))]
    for key, value in metadata.items():
        parts += [_string(key), _value(value, value_types.get(key) or _type_of(key, value))]
    offset = 0
    for tensor in tensors:
        parts.append(_string(tensor.name))
        parts.append(struct.pack("<I", len(tensor.shape)))
        parts.append(struct.pack(f"<{len(tensor.shape)}Q", *reversed(tensor.shape)))
        parts.append(struct.pack("<IQ", TYPE_NUMBERS[tensor.ggml_type], offset))
        offset += _padded(tensor.num_bytes)
    header = b"".join(parts)
    return header.ljust(_padded(len(header)), b"\0")


def _write_tensor(stream: BinaryIO, tensor: TensorPlan) -> None:
    written = 0
    for chunk in tensor.chunks():
        data = np.ascontiguousarray(chunk)
        stream.write(data.data.cast("B") if data.size else b"")
        written += data.nbytes
    if written != tensor.num_bytes:
        raise RuntimeError(f"{tensor.name}: {written} bytes written, {tensor.num_bytes} announced")
    stream.write(bytes(_padded(written) - written))


def _padded(length: int) -> int:
    return -(-length // DEFAULT_ALIGNMENT) * DEFAULT_ALIGNMENT


def _string(text: str) -> bytes:
    data = text.encode("utf-8")
    return struct.pack("<Q", len(data)) + data


def _type_of(key: str, value: Any) -> tuple[int, int]:
    if isinstance(value, bytes):
        return ARRAY, UINT8
    if isinstance(value, list | tuple):
        if not value:
            raise ValueError(f"{key}: an empty list has no type")
        element = _type_of(key, value[0])[0]
        return ARRAY, INT32 if element == UINT32 else element
    for kind, number in ((bool, BOOL), (int, UINT32), (float, FLOAT32), (str, STRING)):
        if isinstance(value, kind):
            return number, number
    raise TypeError(f"{key}: {type(value).__name__}")


def _value(value: Any, kind: tuple[int, int]) -> bytes:
    number, element = kind
    if number != ARRAY:
        return struct.pack("<I", number) + _scalar(value, number)
    head = struct.pack("<IIQ", ARRAY, element, len(value))
    if element == STRING:
        return head + b"".join(_string(item) for item in value)
    return head + struct.pack(f"<{len(value)}{SCALARS[element][0]}", *value)


def _scalar(value: Any, number: int) -> bytes:
    if number == STRING:
        return _string(value)
    return struct.pack("<" + SCALARS[number][0], value)
