"""The strict GGUF header reader: what it reads, everything hostile it refuses, and that no damage makes it crash."""

from __future__ import annotations

import math
import os
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

import gguf_bytes as raw
from gguf_bytes import ARRAY, BOOL, F32, STRING, U32, RawGguf, key_value, packed_string, small_file, tensor_entry
from llmlora.catalog.gguf_header import SCALARS, TENSOR_TYPES, GgufTensor, read_gguf_header
from llmlora.core.errors import ModelFileError
from llmlora.core.lfs_pointer import LFS_POINTER


def write(folder: Path, content: bytes | RawGguf) -> Path:
    path = folder / "file.gguf"
    path.write_bytes(content.build() if isinstance(content, RawGguf) else content)
    return path


def refusal(folder: Path, content: bytes | RawGguf) -> ModelFileError:
    """Return the error of a file that must be refused, quickly and without taking memory it only claims to need."""
    path = write(folder, content)
    start = time.monotonic()
    with pytest.raises(ModelFileError) as caught:
        read_gguf_header(path)
    assert time.monotonic() - start < 2
    assert caught.value.params["path"] == str(path)
    return caught.value


def test_reads_every_kind_of_value(tmp_path: Path) -> None:
    header = read_gguf_header(write(tmp_path, small_file()))
    assert header.version == 3
    assert header.metadata == {
        "general.architecture": "llama",
        "a.u8": 200,
        "a.i8": -3,
        "a.u16": 60_000,
        "a.i16": -30_000,
        "a.u32": 4_000_000_000,
        "a.i32": -2_000_000_000,
        "a.f32": 0.5,
        "a.bool": True,
        "a.u64": 1 << 60,
        "a.i64": -(1 << 60),
        "a.f64": 0.1,
        "a.strings": ["あ", "", "b"],
        "a.floats": [1.0, -2.0],
        "a.bools": [True, False],
        "a.nothing": [],
    }
    assert header.metadata["a.bool"] is True
    assert header.value_types["a.strings"] == (ARRAY, STRING)
    assert header.value_types["a.u32"] == (U32, U32)


def test_reads_places_and_shapes_of_tensors(tmp_path: Path) -> None:
    header = read_gguf_header(write(tmp_path, small_file()))
    start = header.data_offset
    assert start % 32 == 0
    assert header.tensors == (
        GgufTensor("one.weight", (3, 32), "Q8_0", start, 3 * 34),
        GgufTensor("two.weight", (5,), "F32", start + 128, 20),
    )
    assert header.tensor("two.weight").num_bytes == 20
    with pytest.raises(KeyError):
        header.tensor("three.weight")


def test_version_2_and_a_larger_alignment_are_read(tmp_path: Path) -> None:
    content = small_file()
    content.version, content.alignment = 2, 256
    content.values.append(key_value("general.alignment", U32, 256))
    content.tensors[1] = tensor_entry("two.weight", (5,), 0, 256)
    content.data = bytes(256 + 20)
    header = read_gguf_header(write(tmp_path, content))
    assert (header.version, header.alignment, header.data_offset % 256) == (2, 256, 0)


def test_a_file_without_tensors_is_read(tmp_path: Path) -> None:
    header = read_gguf_header(write(tmp_path, RawGguf(values=[key_value("general.type", STRING, "vocab")])))
    assert header.tensors == ()


def test_types_agree_with_the_gguf_package() -> None:
    gguf = pytest.importorskip("gguf")
    ours = {number: (block, width) for number, (_, block, width) in TENSOR_TYPES.items()}
    theirs = {int(kind): sizes for kind, sizes in gguf.GGML_QUANT_SIZES.items() if int(kind) in ours}
    assert ours == theirs
    assert {number: name for number, (name, _, _) in TENSOR_TYPES.items()} == {
        int(kind): kind.name for kind in gguf.GGML_QUANT_SIZES if int(kind) in ours
    }
    assert set(SCALARS) | {STRING, ARRAY} == {int(kind) for kind in gguf.GGUFValueType}


def with_value(value: bytes) -> RawGguf:
    return RawGguf(values=[value])


def with_tensor(*entries: bytes, size: int = 256) -> RawGguf:
    return RawGguf(tensors=list(entries), data=bytes(size))


def array_head(element: int, length: int) -> bytes:
    return packed_string("key") + struct.pack("<IIQ", ARRAY, element, length)


def nested(depth: int) -> bytes:
    body = struct.pack("<IQ", U32, 1) + bytes(4)
    for _ in range(depth - 1):
        body = struct.pack("<IQ", ARRAY, 1) + body
    return packed_string("key") + struct.pack("<I", ARRAY) + body


def long_key(length: int) -> bytes:
    return packed_string("key", length) + struct.pack("<II", U32, 1)


def hanging_value() -> bytes:
    """An array of 2^60 bytes under a key of 13 letters: the whole file has 65 bytes."""
    return packed_string("tokenizer.abc") + struct.pack("<IIQ", ARRAY, raw.U8, 1 << 60) + b"\0" * 4


HOSTILE = {
    "empty file": (b"", "gguf_not_gguf"),
    "magic only": (b"GGUF", "cut_off"),
    "wrong magic": (RawGguf(magic=b"GGML"), "gguf_not_gguf"),
    "a zip file": (b"PK\x03\x04" + bytes(60), "gguf_not_gguf"),
    "version 0": (RawGguf(version=0), "gguf_unknown_type"),
    "version 1": (RawGguf(version=1), "gguf_unknown_type"),
    "version 99": (RawGguf(version=99), "gguf_unknown_type"),
    "byte-swapped": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "byte_swapped"),
    "2^60 keys": (RawGguf(counts=(0, 1 << 60)), "too_many"),
    "2^60 tensors": (RawGguf(counts=(1 << 60, 0)), "too_many"),
    "65,537 keys": (RawGguf(counts=(0, 65_537)), "too_many"),
    "100,001 tensors": (RawGguf(counts=(100_001, 0)), "too_many"),
    "more keys than there are": (RawGguf(counts=(0, 3), values=[key_value("a", U32, 1)]), "cut_off"),
    "more tensors than there are": (RawGguf(counts=(2, 0), tensors=[tensor_entry("a", (1,), 0, 0)]), "cut_off"),
    "key of 2^40 bytes": (with_value(long_key(1 << 40)), "cut_off"),
    "key of 2^63 bytes": (with_value(long_key(1 << 63)), "cut_off"),
    "key of 2^64-1 bytes": (with_value(long_key((1 << 64) - 1)), "cut_off"),
    "empty key": (with_value(key_value("", U32, 1)), "bad_key"),
    "key of 70,000 bytes": (with_value(key_value("k" * 70_000, U32, 1)), "bad_key"),
    "key with a zero byte": (with_value(key_value("a\0b", U32, 1)), "bad_key"),
    "key that is not UTF-8": (with_value(key_value(b"\xff\xfe", U32, 1)), "not_utf8"),
    "value that is not UTF-8": (with_value(key_value("key", STRING, b"\xe3\x81")), "not_utf8"),
    "duplicate key": (RawGguf(values=[key_value("a", U32, 1)] * 2), "duplicate_key"),
    "string of 2^50 bytes": (
        with_value(packed_string("key") + struct.pack("<I", STRING) + packed_string("x", 1 << 50)),
        "cut_off",
    ),
    "unknown value type": (with_value(packed_string("key") + struct.pack("<II", 13, 0)), "gguf_unknown_type"),
    "value type 2^32-1": (with_value(packed_string("key") + struct.pack("<II", 2**32 - 1, 0)), "gguf_unknown_type"),
    "bool of 2": (with_value(key_value("key", BOOL, 2)), "bad_bool"),
    "bool of 2 in an array": (with_value(key_value("key", ARRAY, (BOOL, [0, 1, 2]))), "bad_bool"),
    "65 bytes on which GGUFReader hangs": (with_value(hanging_value()), "too_many"),
    "array of 2^60 numbers": (with_value(array_head(U32, 1 << 60)), "too_many"),
    "array of 2^60 strings": (with_value(array_head(STRING, 1 << 60)), "too_many"),
    "array of 2^24 numbers that are not there": (with_value(array_head(F32, 1 << 24)), "cut_off"),
    "array of 2^24 strings that are not there": (with_value(array_head(STRING, 1 << 24)), "cut_off"),
    "array of an unknown type": (with_value(array_head(77, 1) + bytes(8)), "gguf_unknown_type"),
    "nesting of 2": (with_value(nested(2)), "nested_array"),
    "nesting of 50": (with_value(nested(50)), "nested_array"),
    "nesting of 3,000": (with_value(nested(3_000)), "nested_array"),
    "alignment 0": (with_value(key_value("general.alignment", U32, 0)), "bad_alignment"),
    "alignment 3": (with_value(key_value("general.alignment", U32, 3)), "bad_alignment"),
    "alignment 2^17": (with_value(key_value("general.alignment", U32, 1 << 17)), "bad_alignment"),
    "alignment as a string": (with_value(key_value("general.alignment", STRING, "32")), "bad_alignment"),
    "alignment as a float": (with_value(key_value("general.alignment", F32, 32.0)), "bad_alignment"),
    "unknown tensor type": (with_tensor(tensor_entry("a", (32,), 99, 0)), "gguf_unknown_type"),
    "removed tensor type": (with_tensor(tensor_entry("a", (32,), 4, 0)), "gguf_unknown_type"),
    "duplicate tensor": (
        with_tensor(tensor_entry("a", (8,), 0, 0), tensor_entry("a", (8,), 0, 32)),
        "duplicate_tensor",
    ),
    "tensor without a name": (with_tensor(tensor_entry("", (8,), 0, 0)), "bad_tensor_name"),
    "tensor name that is not UTF-8": (with_tensor(tensor_entry(b"\xff", (8,), 0, 0)), "not_utf8"),
    "no dimensions": (with_tensor(tensor_entry("a", (), 0, 0)), "bad_shape"),
    "five dimensions": (with_tensor(tensor_entry("a", (1, 1, 1, 1, 1), 0, 0)), "bad_shape"),
    "2^32-1 dimensions": (with_tensor(packed_string("a") + struct.pack("<I", 2**32 - 1)), "bad_shape"),
    "a dimension of 0": (with_tensor(tensor_entry("a", (4, 0), 0, 0)), "bad_shape"),
    "2^33 x 2^33": (with_tensor(tensor_entry("a", (1 << 33, 1 << 33), 0, 0)), "bad_shape"),
    "a product that wraps to 0": (with_tensor(tensor_entry("a", (1 << 32, 1 << 32), 0, 0)), "bad_shape"),
    "tensor larger than the file": (with_tensor(tensor_entry("a", (1 << 20,), 0, 0)), "bad_offset"),
    "offset behind the end": (with_tensor(tensor_entry("a", (8,), 0, 1 << 40)), "bad_offset"),
    "offset of 2^64-32": (with_tensor(tensor_entry("a", (8,), 0, (1 << 64) - 32)), "bad_offset"),
    "offset off the alignment": (with_tensor(tensor_entry("a", (8,), 0, 8)), "bad_offset"),
    "row off the block": (with_tensor(tensor_entry("a", (33,), 8, 0)), "bad_row_length"),
    "row off the block of 256": (with_tensor(tensor_entry("a", (128, 2), 12, 0)), "bad_row_length"),
    "overlapping tensors": (
        with_tensor(tensor_entry("a", (16,), 0, 0), tensor_entry("b", (8,), 0, 32)),
        "overlap",
    ),
    "the same place twice": (with_tensor(tensor_entry("a", (8,), 0, 0), tensor_entry("b", (8,), 0, 0)), "overlap"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_refuses(name: str, tmp_path: Path) -> None:
    content, expected = HOSTILE[name]
    error = refusal(tmp_path, content)
    assert expected in (error.code, error.params.get("reason"))


def test_the_file_on_which_others_hang_has_65_bytes() -> None:
    content = HOSTILE["65 bytes on which GGUFReader hangs"][0]
    assert isinstance(content, RawGguf)
    assert len(content.build()) == 65


def test_a_pipe_is_refused_without_waiting_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "file.gguf")
    start = time.monotonic()
    with pytest.raises(ModelFileError) as caught:
        read_gguf_header(tmp_path / "file.gguf")
    assert (caught.value.code, caught.value.params["detail"]) == ("gguf_unreadable", "not a regular file")
    assert time.monotonic() - start < 2


def test_refusing_takes_no_memory(tmp_path: Path) -> None:
    path = write(tmp_path, with_value(array_head(STRING, 1 << 24)))
    tracemalloc.start()
    try:
        with pytest.raises(ModelFileError):
            read_gguf_header(path)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


def test_many_elements_in_many_arrays_are_counted_together(tmp_path: Path) -> None:
    values = [key_value(f"k{number}", ARRAY, (raw.U8, [0] * 100)) for number in range(3)]
    values.append(packed_string("last") + struct.pack("<IIQ", ARRAY, raw.U8, (1 << 24) - 299))
    assert refusal(tmp_path, RawGguf(values=values)).params["reason"] == "too_many"


def test_every_cut_of_a_valid_file_is_refused(tmp_path: Path) -> None:
    whole = small_file().build()
    for length in range(len(whole)):
        refusal(tmp_path, whole[:length])
    read_gguf_header(write(tmp_path, whole))


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    for path in (tmp_path / "absent.gguf", tmp_path):
        with pytest.raises(ModelFileError) as caught:
            read_gguf_header(path)
        assert caught.value.code in ("gguf_unreadable", "gguf_not_gguf")


def test_the_message_cannot_carry_control_characters(tmp_path: Path) -> None:
    error = refusal(tmp_path, RawGguf(values=[key_value("a\x1b[31m", U32, 1)] * 2))
    assert "\x1b" not in error.params["detail"]


def mutated(whole: bytes, seed: int) -> bytes:
    """Damage a file: flip bits, overwrite numbers with extreme ones, cut, repeat or insert."""
    random = np.random.default_rng(seed)
    content = bytearray(whole)
    for _ in range(int(random.integers(1, 4))):
        place = int(random.integers(0, len(content)))
        match int(random.integers(0, 5)):
            case 0:
                content[place] ^= 1 << int(random.integers(0, 8))
            case 1:
                extreme = [0, 1, 2**31, 2**32 - 1, 2**40, 2**60, 2**63, 2**64 - 1][int(random.integers(0, 8))]
                content[place : place + 8] = struct.pack("<Q", extreme)
            case 2:
                del content[place:]
            case 3:
                content[place:place] = bytes(random.integers(0, 256, int(random.integers(1, 40)), dtype=np.uint8))
            case _:
                content[place : place + 4] = bytes(random.integers(0, 256, 4, dtype=np.uint8))
        if not content:
            break
    return bytes(content)


def check_mutation(folder: Path, whole: bytes, seed: int) -> bool:
    """Read a damaged file: it is refused by name, or what is accepted lies inside the file. Return whether accepted."""
    path = folder / "file.gguf"
    path.write_bytes(mutated(whole, seed))
    start = time.monotonic()
    try:
        header = read_gguf_header(path)
    except ModelFileError:
        return False
    finally:
        assert time.monotonic() - start < 2, seed
    size, end = path.stat().st_size, 0
    for tensor in sorted(header.tensors, key=lambda item: item.offset):
        assert tensor.offset >= end, seed
        assert tensor.offset % header.alignment == 0, seed
        end = tensor.offset + tensor.num_bytes
        assert end <= size, seed
    return True


def random_value(random: np.random.Generator, kind: int) -> object:
    if kind == STRING:
        return "".join(map(chr, random.choice([0x41, 0x3042, 0x1F600, 0x0A], int(random.integers(0, 9)))))
    if kind in (F32, raw.F64):
        return float(np.float32(random.standard_normal()))
    top = 2 if kind == BOOL else 100
    return int(random.integers(0, top))


def random_file(seed: int) -> tuple[RawGguf, dict[str, object], dict[str, tuple[int, ...]]]:
    """Return a valid file of any layout the format allows, and what must be read from it."""
    random = np.random.default_rng(seed)
    alignment = 1 << int(random.integers(3, 13))
    content = RawGguf(version=int(random.integers(2, 4)), alignment=alignment)
    content.values.append(key_value("general.alignment", U32, alignment))
    values: dict[str, object] = {"general.alignment": alignment}
    for number in range(int(random.integers(0, 20))):
        kind, key = int(random.choice([*SCALARS, STRING])), f"k{number}.あ"
        items = [random_value(random, kind) for _ in range(int(random.integers(0, 5)))]
        is_array = bool(random.integers(0, 2)) or not items
        content.values.append(key_value(key, ARRAY if is_array else kind, (kind, items) if is_array else items[0]))
        values[key] = items if is_array else items[0]
    shapes: dict[str, tuple[int, ...]] = {}
    for number in range(int(random.integers(0, 6))):
        kind = int(random.choice(list(TENSOR_TYPES)))
        _, block, width = TENSOR_TYPES[kind]
        rest = tuple(int(size) for size in random.integers(1, 4, int(random.integers(0, 4))))
        sizes = (block * int(random.integers(1, 4)), *rest)
        content.tensors.append(tensor_entry(f"t{number}.weight", sizes, kind, len(content.data)))
        content.data += bytes(math.prod(sizes) // block * width)
        content.data += bytes(-len(content.data) % alignment)
        shapes[f"t{number}.weight"] = sizes[::-1]
    return content, values, shapes


def test_every_valid_file_is_accepted_and_read_right(tmp_path: Path) -> None:
    for seed in range(200):
        content, values, shapes = random_file(seed)
        header = read_gguf_header(write(tmp_path, content))
        assert header.metadata == values, seed
        assert {tensor.name: tensor.shape for tensor in header.tensors} == shapes, seed
        assert header.alignment == content.alignment


def test_damaged_files_never_crash_the_reader(tmp_path: Path) -> None:
    whole = small_file().build()
    accepted = sum(check_mutation(tmp_path, whole, seed) for seed in range(500))
    assert 0 < accepted < 400  # harmless damage exists, but most is seen


def test_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(LFS_POINTER + b"v1\noid sha256:4d7a21\nsize 9445888\n")
    with pytest.raises(ModelFileError) as caught:
        read_gguf_header(path)
    assert caught.value.code == "lfs_pointer"
