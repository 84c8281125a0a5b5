"""Strict reader of GGUF headers: metadata, shapes and places of tensors, never their contents.

Files come from strangers and are read by native code afterwards, which hangs or aborts on broken ones: every length is
checked against what is left of the file before it is used.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Self

from llmlora.catalog.header_reader import read_elsewhere
from llmlora.catalog.regular_file import regular_size
from llmlora.core.errors import ModelFileError
from llmlora.core.lfs_pointer import is_lfs_pointer, lfs_params

MAGIC = b"GGUF"
VERSIONS = (2, 3)
DEFAULT_ALIGNMENT = 32
MAX_ALIGNMENT = 65_536
MAX_KEY_VALUES = 65_536
MAX_TENSORS = 100_000
MAX_NAME_BYTES = 65_535
MAX_ELEMENTS = 1 << 24
MAX_DIMENSIONS = 4

STRING, ARRAY = 8, 9
BOOL = 7
# value type -> (struct letter, bytes)
SCALARS: dict[int, tuple[str, int]] = {
    0: ("B", 1), 1: ("b", 1), 2: ("H", 2), 3: ("h", 2), 4: ("I", 4), 5: ("i", 4), 6: ("f", 4), BOOL: ("B", 1),
    10: ("Q", 8), 11: ("q", 8), 12: ("d", 8),
}  # fmt: skip
# tensor type -> (name, values per block, bytes per block)
TENSOR_TYPES: dict[int, tuple[str, int, int]] = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210), 15: ("Q8_K", 256, 292),
    16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8),
    29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
    40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class GgufTensor:
    """One tensor: `shape` outermost first as numpy has it, `ggml_type` by name, `offset` from the start of the file."""

    name: str
    shape: tuple[int, ...]
    ggml_type: str
    offset: int
    num_bytes: int

    @property
    def num_elements(self) -> int:
        """How many numbers it holds."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class GgufHeader:
    """A checked header; `value_types` holds (type, element type) of each key, so that a copy loses nothing.

    One that another process has read (`header_reader`) has no lists in its metadata, which are whole vocabularies.
    """

    version: int
    metadata: dict[str, Any]
    value_types: dict[str, tuple[int, int]]
    tensors: tuple[GgufTensor, ...]
    alignment: int
    data_offset: int

    def tensor(self, name: str) -> GgufTensor:
        """Return one tensor; raises KeyError when there is none of that name."""
        for tensor in self.tensors:
            if tensor.name == name:
                return tensor
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the lists among the metadata."""
        kept = {key: value for key, value in self.metadata.items() if not isinstance(value, list)}
        return {
            "version": self.version,
            "metadata": kept,
            "value_types": {key: self.value_types[key] for key in kept},
            "tensors": [[item.name, item.shape, item.ggml_type, item.offset, item.num_bytes] for item in self.tensors],
            "alignment": self.alignment,
            "data_offset": self.data_offset,
        }

    @classmethod
    def from_dict(cls, found: dict[str, Any]) -> Self:
        """Return the header of a JSON form."""
        types = {key: (kind, element) for key, (kind, element) in found["value_types"].items()}
        tensors = tuple(GgufTensor(name, tuple(shape), *rest) for name, shape, *rest in found["tensors"])
        return cls(**{**found, "value_types": types, "tensors": tensors})


def read_gguf_header(path: Path) -> GgufHeader:
    """Read and check the header of a file.

    Raises:
        ModelFileError: `gguf_not_gguf` for other files, `gguf_unknown_type` for a version or type this reader does not
            know, `gguf_invalid` with a reason for anything that is broken, `gguf_unreadable` when it cannot be opened.
        LlmloraError: those of `read_elsewhere`.
    """
    found = read_elsewhere("gguf", path)
    return _parsed(path) if found is None else GgufHeader.from_dict(found)


def _parsed(path: Path) -> GgufHeader:
    try:
        size = regular_size(path)
        with path.open("rb") as stream:
            return _Reader(stream, size, path).header()
    except OSError as error:
        raise ModelFileError("gguf_unreadable", path=str(path), detail=error.strerror or str(error)) from error


class _Reader:
    """Reads forward through one file; `left` is what remains of it."""

    def __init__(self, stream: BinaryIO, size: int, path: Path) -> None:
        self.stream = stream
        self.size = size
        self.left = size
        self.path = path
        self.elements_left = MAX_ELEMENTS

    def invalid(self, reason: str, detail: object = "") -> ModelFileError:
        return ModelFileError("gguf_invalid", path=str(self.path), reason=reason, detail=ascii(detail)[:200])

    def unknown(self, kind: str, value: int) -> ModelFileError:
        return ModelFileError("gguf_unknown_type", path=str(self.path), kind=kind, value=value)

    def header(self) -> GgufHeader:
        version = self._preamble()
        num_tensors, num_values = self.number("Q", 8), self.number("Q", 8)
        if num_values > MAX_KEY_VALUES or num_tensors > MAX_TENSORS:
            raise self.invalid("too_many", f"{num_tensors}, {num_values}")
        metadata: dict[str, Any] = {}
        types: dict[str, tuple[int, int]] = {}
        for _ in range(num_values):
            key = self.name("key")
            if key in metadata:
                raise self.invalid("duplicate_key", key)
            metadata[key], types[key] = self.value()
        alignment = self._alignment(metadata, types)
        entries = [self._tensor() for _ in range(num_tensors)]
        data_offset = -(-(self.size - self.left) // alignment) * alignment
        tensors = self._placed(entries, alignment, data_offset)
        return GgufHeader(version, metadata, types, tensors, alignment, data_offset)

    def _preamble(self) -> int:
        if is_lfs_pointer(self.path):
            raise ModelFileError("lfs_pointer", **lfs_params(self.path))
        if self.size < 4 or self.take(4) != MAGIC:
            raise ModelFileError("gguf_not_gguf", path=str(self.path))
        version = self.number("I", 4)
        if version in VERSIONS:
            return version
        if version and version & 0xFFFF == 0:
            raise self.invalid("byte_swapped", version)
        raise self.unknown("version", version)

    def take(self, length: int) -> bytes:
        """Return the next bytes; a length beyond the end of the file is refused before anything is read."""
        if length > self.left:
            raise self.invalid("cut_off", f"{length} > {self.left}")
        data = self.stream.read(length)
        if len(data) != length:
            raise self.invalid("cut_off", f"{length} > {len(data)}")
        self.left -= length
        return data

    def number(self, letter: str, length: int) -> int:
        (value,) = struct.unpack("<" + letter, self.take(length))
        return int(value)

    def string(self) -> str:
        data = self.take(self.number("Q", 8))
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.invalid("not_utf8", data[:40]) from error

    def name(self, kind: str) -> str:
        name = self.string()
        if not name or len(name.encode()) > MAX_NAME_BYTES or "\0" in name:
            raise self.invalid(f"bad_{kind}", name)
        return name

    def value(self) -> tuple[Any, tuple[int, int]]:
        kind = self.number("I", 4)
        if kind == ARRAY:
            element, values = self._array()
            return values, (ARRAY, element)
        if kind == STRING:
            return self.string(), (STRING, STRING)
        return self._scalars(kind, 1)[0], (kind, kind)

    def _array(self) -> tuple[int, list[Any]]:
        element, length = self.number("I", 4), self.number("Q", 8)
        if element == ARRAY:
            raise self.invalid("nested_array")
        if length > self.elements_left:
            raise self.invalid("too_many", length)
        self.elements_left -= length
        if element != STRING:
            return element, self._scalars(element, length)
        if length * 8 > self.left:
            raise self.invalid("cut_off", f"{length} > {self.left}")
        return element, [self.string() for _ in range(length)]

    def _scalars(self, kind: int, count: int) -> list[Any]:
        if kind not in SCALARS:
            raise self.unknown("value", kind)
        letter, width = SCALARS[kind]
        values = list(struct.unpack(f"<{count}{letter}", self.take(count * width)))
        if kind != BOOL:
            return values
        if any(value > 1 for value in values):
            raise self.invalid("bad_bool", max(values))
        return [bool(value) for value in values]

    def _alignment(self, metadata: dict[str, Any], types: dict[str, tuple[int, int]]) -> int:
        key = "general.alignment"
        if key not in metadata:
            return DEFAULT_ALIGNMENT
        alignment = metadata[key]
        if types[key] != (4, 4) or not 8 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
            raise self.invalid("bad_alignment", alignment)
        return int(alignment)

    def _tensor(self) -> tuple[str, tuple[int, ...], int, int]:
        name = self.name("tensor_name")
        num_dimensions = self.number("I", 4)
        if not 1 <= num_dimensions <= MAX_DIMENSIONS:
            raise self.invalid("bad_shape", f"{name}: {num_dimensions}")
        sizes = struct.unpack(f"<{num_dimensions}Q", self.take(8 * num_dimensions))
        if 0 in sizes or math.prod(sizes) >= 1 << 63:
            raise self.invalid("bad_shape", f"{name}: {sizes}")
        return name, tuple(reversed(sizes)), self.number("I", 4), self.number("Q", 8)

    def _placed(
        self, entries: list[tuple[str, tuple[int, ...], int, int]], alignment: int, data_offset: int
    ) -> tuple[GgufTensor, ...]:
        if len({entry[0] for entry in entries}) != len(entries):
            raise self.invalid("duplicate_tensor")
        tensors = []
        for name, shape, kind, offset in entries:
            if kind not in TENSOR_TYPES:
                raise self.unknown("tensor", kind)
            type_name, block, width = TENSOR_TYPES[kind]
            if shape[-1] % block:
                raise self.invalid("bad_row_length", f"{name}: {shape[-1]} / {block}")
            num_bytes = math.prod(shape) // block * width
            if offset % alignment or data_offset + offset + num_bytes > self.size:
                raise self.invalid("bad_offset", f"{name}: {offset}")
            tensors.append(GgufTensor(name, shape, type_name, data_offset + offset, num_bytes))
        self._check_overlap(tensors)
        return tuple(tensors)

    def _check_overlap(self, tensors: list[GgufTensor]) -> None:
        end = 0
        for tensor in sorted(tensors, key=lambda item: item.offset):
            if tensor.offset < end:
                raise self.invalid("overlap", tensor.name)
            end = tensor.offset + tensor.num_bytes
