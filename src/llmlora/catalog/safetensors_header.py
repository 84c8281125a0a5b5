"""Strict reader of safetensors headers: shapes and places of tensors, never their contents."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from llmlora.catalog.regular_file import regular_size
from llmlora.core.errors import ModelFileError

MAX_HEADER_BYTES = 100 * 1000 * 1000
MAX_DIMENSIONS = 8
ITEM_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "F8_E8M0": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}  # fmt: skip
_PICKLE_MARKS = (b"PK\x03\x04", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor: element type by its safetensors name, shape, and byte range behind the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int

    @property
    def num_elements(self) -> int:
        """Elements of the tensor."""
        return math.prod(self.shape)

    def to_list(self) -> list[Any]:
        """Return the JSON form."""
        return [self.name, self.dtype, self.shape, self.start, self.end]

    @classmethod
    def from_list(cls, found: list[Any]) -> Self:
        """Return the tensor of a JSON form."""
        name, dtype, shape, start, end = found
        return cls(name, dtype, tuple(shape), start, end)


@dataclass(frozen=True)
class SafetensorsHeader:
    """A checked header; `digest` is the SHA-256 of its bytes, `data_offset` where the first tensor's bytes begin."""

    tensors: tuple[TensorInfo, ...]
    metadata: dict[str, str]
    data_offset: int
    digest: str

    @property
    def num_elements(self) -> int:
        """Elements of all tensors."""
        return sum(tensor.num_elements for tensor in self.tensors)


def read_safetensors_header(path: Path) -> SafetensorsHeader:
    """Read and check the header of a file.

    Raises:
        ModelFileError: `model_file_unreadable`, `pickle_weights` for a renamed pickle, `safetensors_invalid` with a
            reason for anything else: cut off, too large, not JSON, duplicate or unsafe names, unknown types, shapes
            that do not fit their bytes, tensors that overlap, leave holes or end before the file does.
    """
    try:
        size = regular_size(path)
        with path.open("rb") as stream:
            return _read(stream, size, path)
    except OSError as error:
        detail = error.strerror or str(error)
        raise ModelFileError("model_file_unreadable", path=str(path), detail=detail) from error


def _invalid(path: Path, reason: str, detail: object = "") -> ModelFileError:
    return ModelFileError("safetensors_invalid", path=str(path), reason=reason, detail=str(detail)[:200])


def _read(stream: BinaryIO, size: int, path: Path) -> SafetensorsHeader:
    prefix = stream.read(8)
    if prefix.startswith(_PICKLE_MARKS) and struct.unpack("<Q", prefix.ljust(8, b"\xff"))[0] > MAX_HEADER_BYTES:
        raise ModelFileError("pickle_weights", path=str(path), files=path.name)
    if len(prefix) < 8:
        raise _invalid(path, "cut_off", size)
    (length,) = struct.unpack("<Q", prefix)
    if length > MAX_HEADER_BYTES or length > size - 8:
        raise _invalid(path, "header_too_large", length)
    raw = stream.read(length)
    tensors, metadata = _parsed(raw, path)
    _check_layout(tensors, size - 8 - length, path)
    return SafetensorsHeader(tuple(tensors), metadata, 8 + length, hashlib.sha256(raw).hexdigest())


def _parsed(raw: bytes, path: Path) -> tuple[list[TensorInfo], dict[str, str]]:
    try:
        header = json.loads(raw.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise _invalid(path, "not_json", error or type(error).__name__) from error
    if not isinstance(header, dict):
        raise _invalid(path, "not_json", type(header).__name__)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise _invalid(path, "bad_metadata")
    return [_tensor(name, entry, path) for name, entry in header.items()], metadata


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError(Counter(key for key, _ in pairs).most_common(1)[0][0])
    return found


def _tensor(name: str, entry: Any, path: Path) -> TensorInfo:
    if not name or len(name) > 512 or "/" in name or "\\" in name or ".." in name or not name.isprintable():
        raise _invalid(path, "unsafe_name", ascii(name))
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise _invalid(path, "bad_entry", name)
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in ITEM_BYTES:
        raise _invalid(path, "unknown_type", f"{name}: {dtype}")
    if not _are_sizes(shape) or len(shape) > MAX_DIMENSIONS or not _are_sizes(offsets) or len(offsets) != 2:
        raise _invalid(path, "bad_entry", name)
    tensor = TensorInfo(name, dtype, tuple(shape), *offsets)
    if tensor.end - tensor.start != tensor.num_elements * ITEM_BYTES[dtype]:
        raise _invalid(path, "size_mismatch", name)
    return tensor


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and all(type(item) is int and 0 <= item < 1 << 62 for item in value)


def _check_layout(tensors: list[TensorInfo], num_bytes: int, path: Path) -> None:
    position = 0
    for tensor in sorted(tensors, key=lambda item: (item.start, item.end)):
        if tensor.start != position:
            raise _invalid(path, "overlap" if tensor.start < position else "hole", tensor.name)
        position = tensor.end
    if position != num_bytes:
        raise _invalid(path, "past_end" if position > num_bytes else "trailing_bytes", abs(position - num_bytes))
