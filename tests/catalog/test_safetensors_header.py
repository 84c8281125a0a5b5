from __future__ import annotations

import json
import os
import random
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog.model_files import TENSORS, entries, header_bytes, mutated, write_weights
from llmlora.catalog.safetensors_header import read_safetensors_header
from llmlora.core.errors import ModelFileError


def one(dtype: Any = "F32", shape: Any = (2,), offsets: Any = (0, 8), name: str = "a") -> bytes:
    """Return a header with one tensor."""
    return header_bytes({name: {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}})


def two(first: tuple[int, int], second: tuple[int, int]) -> bytes:
    """Return a header with two F32 tensors at the given places."""
    return header_bytes(
        {
            name: {"dtype": "F32", "shape": [(end - start) // 4], "data_offsets": [start, end]}
            for name, (start, end) in (("a", first), ("b", second))
        }
    )


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "cut_off"),
    "seven bytes": (b"\0" * 7, "cut_off"),
    "header 2^63": (struct.pack("<Q", 1 << 63) + b"{}", "header_too_large"),
    "header over 100 MB": (struct.pack("<Q", 100_000_001) + b"{}", "header_too_large"),
    "header longer than the file": (struct.pack("<Q", 50) + b"{}", "header_too_large"),
    "not JSON": (header_bytes(b"hello"), "not_json"),
    "bad UTF-8": (header_bytes(b'{"\xff": 1}'), "not_json"),
    "deep": (header_bytes(b"[" * 100_000), "not_json"),
    "a list": (header_bytes("[]"), "not_json"),
    "duplicate key": (
        header_bytes('{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8"}}'),
        "not_json",
    ),
    "metadata not text": (header_bytes('{"__metadata__": {"a": 1}}'), "bad_metadata"),
    "entry not an object": (header_bytes('{"a": 3}'), "bad_entry"),
    "extra key": (header_bytes('{"a": {"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":1}}'), "bad_entry"),
    "unknown type": (one(dtype="F31") + b"\0" * 8, "unknown_type"),
    "type is a list": (one(dtype=["F32"]) + b"\0" * 8, "unknown_type"),
    "negative dimension": (one(shape=(-2,)) + b"\0" * 8, "bad_entry"),
    "boolean dimension": (one(shape=(True,), offsets=(0, 4)) + b"\0" * 4, "bad_entry"),
    "float dimension": (one(shape=(2.0,)) + b"\0" * 8, "bad_entry"),
    "nine dimensions": (one(shape=(1,) * 9, offsets=(0, 4)) + b"\0" * 4, "bad_entry"),
    "shape overflow": (one(shape=(1 << 61, 1 << 61, 16), offsets=(0, 8)) + b"\0" * 8, "size_mismatch"),
    "three offsets": (one(offsets=(0, 8, 9)) + b"\0" * 8, "bad_entry"),
    "offsets reversed": (one(offsets=(8, 0)) + b"\0" * 8, "size_mismatch"),
    "shape smaller than its bytes": (one(shape=(1,)) + b"\0" * 8, "size_mismatch"),
    "past the end": (one() + b"\0" * 4, "past_end"),
    "trailing bytes": (one() + b"\0" * 9, "trailing_bytes"),
    "hole": (two((0, 8), (12, 20)) + b"\0" * 20, "hole"),
    "hole at the start": (one(offsets=(4, 12)) + b"\0" * 12, "hole"),
    "overlap": (two((0, 8), (4, 12)) + b"\0" * 12, "overlap"),
    "name with a slash": (one(name="a/b") + b"\0" * 8, "unsafe_name"),
    "name with a backslash": (one(name="a\\b") + b"\0" * 8, "unsafe_name"),
    "name with dots": (one(name="..a") + b"\0" * 8, "unsafe_name"),
    "name with NUL": (one(name="a\0b") + b"\0" * 8, "unsafe_name"),
    "empty name": (one(name="") + b"\0" * 8, "unsafe_name"),
    "endless name": (one(name="a" * 513) + b"\0" * 8, "unsafe_name"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_headers_are_refused(case: str, tmp_path: Path) -> None:
    content, reason = HOSTILE[case]
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ModelFileError) as caught:
        read_safetensors_header(path)
    assert (caught.value.code, caught.value.params["reason"]) == ("safetensors_invalid", reason)


def test_a_missing_file_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError) as caught:
        read_safetensors_header(tmp_path / "none.safetensors")
    assert caught.value.code == "model_file_unreadable"


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_what_is_no_regular_file_is_never_opened(make: Callable[[Path], None], tmp_path: Path) -> None:
    make(tmp_path / "model.safetensors")
    with pytest.raises(ModelFileError) as caught:
        read_safetensors_header(tmp_path / "model.safetensors")
    assert (caught.value.code, caught.value.params["detail"]) == ("model_file_unreadable", "not a regular file")


def test_a_sound_file_is_described(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_weights(path)
    header = read_safetensors_header(path)
    assert {tensor.name: tensor.shape for tensor in header.tensors} == TENSORS
    assert header.num_elements == 6 * 8 + 2 * 16 * 8 + 8
    assert header.data_offset + 4 * header.num_elements == path.stat().st_size


def test_metadata_scalars_and_empty_tensors_are_sound(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    table = {
        "__metadata__": {"format": "pt"},
        "scalar": {"dtype": "BF16", "shape": [], "data_offsets": [0, 2]},
        "empty": {"dtype": "F32", "shape": [0, 4], "data_offsets": [2, 2]},
    }
    path.write_bytes(header_bytes(table) + b"\0\0")
    header = read_safetensors_header(path)
    assert header.metadata == {"format": "pt"}
    assert sorted(tensor.num_elements for tensor in header.tensors) == [0, 1]


@pytest.mark.parametrize(
    ("seed", "count"), [(7, 600), pytest.param(8, 10_000, marks=[pytest.mark.gate, pytest.mark.timeout(1200)])]
)
def test_mutations_never_crash_and_never_reach_beyond_the_file(seed: int, count: int, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_weights(path)
    raw = path.read_bytes()
    chance = random.Random(seed)
    refused = 0
    for _ in range(count):
        content = mutated(raw, chance)
        path.write_bytes(content)
        try:
            header = read_safetensors_header(path)
        except ModelFileError:
            refused += 1
        else:
            assert header.data_offset + sum(tensor.end - tensor.start for tensor in header.tensors) == len(content)
    assert refused > count / 2


def test_the_digest_covers_the_header(tmp_path: Path) -> None:
    digests = set()
    for name in ("a", "b"):
        path = tmp_path / f"{name}.safetensors"
        header, size = entries({name: (2,)})
        path.write_bytes(header_bytes(json.dumps(header)) + b"\0" * size)
        digests.add(read_safetensors_header(path).digest)
    assert len(digests) == 2


def test_the_one_name_of_many_that_stands_twice_is_found_at_once(tmp_path: Path) -> None:
    path, started = tmp_path / "many.safetensors", time.process_time()
    names = ",".join(f'"{number}":0' for number in (*range(30_000), 29_999))
    path.write_bytes(header_bytes(f"{{{names}}}"))
    with pytest.raises(ModelFileError) as caught:
        read_safetensors_header(path)
    assert caught.value.params["detail"] == "29999" and time.process_time() - started < 5
