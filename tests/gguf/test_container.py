"""The container: what is written is what the strict reader and the gguf package read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gguf
from llmlora.catalog.gguf_header import ARRAY, GgufHeader, read_gguf_header
from llmlora.gguf.container import TensorPlan, tensor_bytes, write_container

METADATA: dict[str, Any] = {
    "general.architecture": "llama",
    "a.count": 7,
    "a.ratio": 0.5,
    "a.flag": True,
    "a.text": "あいう",
    "a.texts": ["a", "", "ん"],
    "a.numbers": [1, -2, 3],
    "a.ratios": [0.25, -1.0],
    "a.flags": [True, False],
    "a.bytes": b"\x00\xff",
}


def plan(name: str, values: np.ndarray, pieces: int = 1) -> TensorPlan:
    return TensorPlan(name, values.shape, "F32", lambda: iter(np.array_split(values.reshape(-1), pieces)))


def written(path: Path, *plans: TensorPlan) -> GgufHeader:
    write_container(path, METADATA, plans)
    return read_gguf_header(path)


def test_values_come_back_with_their_types(tmp_path: Path) -> None:
    header = written(tmp_path / "a.gguf")
    assert header.metadata == {**METADATA, "a.bytes": [0, 255]}
    types = {key: header.value_types[key] for key in METADATA}
    assert types == {
        "general.architecture": (8, 8),
        "a.count": (4, 4),
        "a.ratio": (6, 6),
        "a.flag": (7, 7),
        "a.text": (8, 8),
        "a.texts": (ARRAY, 8),
        "a.numbers": (ARRAY, 5),
        "a.ratios": (ARRAY, 6),
        "a.flags": (ARRAY, 7),
        "a.bytes": (ARRAY, 0),
    }


def test_stated_types_win(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_container(
        path, {"big": 1 << 40, "none": [], "wide": [1]}, [], {"big": (10, 10), "none": (9, 5), "wide": (9, 11)}
    )
    header = read_gguf_header(path)
    assert header.metadata == {"big": 1 << 40, "none": [], "wide": [1]}
    assert header.value_types["wide"] == (ARRAY, 11)


def test_values_without_a_type_are_programming_errors(tmp_path: Path) -> None:
    with pytest.raises(TypeError):
        write_container(tmp_path / "a.gguf", {"a": None}, [])
    with pytest.raises(ValueError, match="empty"):
        write_container(tmp_path / "a.gguf", {"a": []}, [])


@pytest.mark.parametrize("pieces", [1, 3])
def test_tensors_come_back_aligned(pieces: int, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    first, second = np.arange(15, dtype=np.float32).reshape(3, 5), np.array([9.0], dtype=np.float32)
    header = written(path, plan("first.weight", first, pieces), plan("second.bias", second))
    content = path.read_bytes()
    for name, values in (("first.weight", first), ("second.bias", second)):
        tensor = header.tensor(name)
        assert (tensor.shape, tensor.offset % 32) == (values.shape, 0)
        found = np.frombuffer(content, np.float32, values.size, tensor.offset).reshape(values.shape)
        np.testing.assert_array_equal(found, values)


def test_the_gguf_package_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    written(path, plan("w.weight", values))
    reader = gguf.GGUFReader(path)
    assert reader.fields["a.text"].contents() == "あいう"
    assert reader.fields["a.texts"].contents() == ["a", "", "ん"]
    (tensor,) = reader.tensors
    assert tensor.name == "w.weight"
    np.testing.assert_array_equal(np.asarray(tensor.data), values)


def test_a_tensor_of_the_wrong_size_stops_the_writing(tmp_path: Path) -> None:
    def short() -> Iterator[np.ndarray]:
        yield np.zeros(3, np.float32)

    with pytest.raises(RuntimeError, match="announced"):
        write_container(tmp_path / "a.gguf", {}, [TensorPlan("w", (4,), "F32", short)])


def test_sizes_of_types() -> None:
    assert tensor_bytes((2, 512), "Q4_K") == 2 * 2 * 144
    assert tensor_bytes((3, 64), "Q8_0") == 3 * 2 * 34
    assert tensor_bytes((7,), "F16") == 14
    assert tensor_bytes((7,), "BF16") == 14


def test_progress_is_in_bytes(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    plans = [plan("a", np.zeros(4, np.float32)), plan("b", np.zeros(2, np.float32))]
    write_container(tmp_path / "a.gguf", {}, plans, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(16, 24), (24, 24)]
