"""GGUF files put together byte by byte, so that any of their fields can be wrong."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Any

U8, I8, U16, I16, U32, I32, F32, BOOL, STRING, ARRAY, U64, I64, F64 = range(13)
LETTERS = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q", F64: "d"}


def packed_string(value: str | bytes, length: int | None = None) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data) if length is None else length) + data


def packed_value(kind: int, value: Any) -> bytes:
    if kind == STRING:
        return packed_string(value)
    if kind == ARRAY:
        element, items = value
        head = struct.pack("<IQ", element, len(items))
        return head + b"".join(packed_value(element, item) for item in items)
    return struct.pack("<" + LETTERS[kind], value)


def key_value(key: str | bytes, kind: int, value: Any) -> bytes:
    return packed_string(key) + struct.pack("<I", kind) + packed_value(kind, value)


def tensor_entry(name: str | bytes, sizes: tuple[int, ...], kind: int, offset: int) -> bytes:
    dimensions = struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes)
    return packed_string(name) + dimensions + struct.pack("<IQ", kind, offset)


@dataclass
class RawGguf:
    """The fields of a file; `build` joins them. `counts` overrides the numbers of tensors and keys."""

    values: list[bytes] = field(default_factory=list)
    tensors: list[bytes] = field(default_factory=list)
    data: bytes = b""
    magic: bytes = b"GGUF"
    version: int = 3
    counts: tuple[int, int] | None = None
    alignment: int = 32

    def build(self) -> bytes:
        num_tensors, num_values = self.counts or (len(self.tensors), len(self.values))
        head = self.magic + struct.pack("<IQQ", self.version, num_tensors, num_values)
        head += b"".join(self.values) + b"".join(self.tensors)
        if not self.data:
            return head
        return head + bytes(-len(head) % self.alignment) + self.data


def small_file() -> RawGguf:
    """A valid file with every kind of value and two tensors."""
    return RawGguf(
        values=[
            key_value("general.architecture", STRING, "llama"),
            key_value("a.u8", U8, 200),
            key_value("a.i8", I8, -3),
            key_value("a.u16", U16, 60_000),
            key_value("a.i16", I16, -30_000),
            key_value("a.u32", U32, 4_000_000_000),
            key_value("a.i32", I32, -2_000_000_000),
            key_value("a.f32", F32, 0.5),
            key_value("a.bool", BOOL, 1),
            key_value("a.u64", U64, 1 << 60),
            key_value("a.i64", I64, -(1 << 60)),
            key_value("a.f64", F64, 0.1),
            key_value("a.strings", ARRAY, (STRING, ["あ", "", "b"])),
            key_value("a.floats", ARRAY, (F32, [1.0, -2.0])),
            key_value("a.bools", ARRAY, (BOOL, [1, 0])),
            key_value("a.nothing", ARRAY, (I32, [])),
        ],
        tensors=[tensor_entry("one.weight", (32, 3), 8, 0), tensor_entry("two.weight", (5,), 0, 128)],
        data=bytes(128 + 20),
    )
