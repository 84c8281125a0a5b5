"""Who quantises: the native code passes its test or is left alone, numpy comes close to it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import gguf
from gguf import quants
from llmlora.gguf import backends, native
from llmlora.gguf.backends import (
    NATIVE_TYPES,
    NUMPY_TYPES,
    PYTHON_TYPES,
    RMSE_LIMITS,
    backend_for,
    native_types,
    relative_error,
)
from llmlora.gguf.blocks import row_bytes
from llmlora.gguf.quantize import available_quantizations

ROWS = np.random.default_rng(11).standard_normal((16, 1024)).astype(np.float32)
needs_native = pytest.mark.skipif(not native_types(), reason="llama.cpp's library exports no quantiser here")


@pytest.fixture
def without_native(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pretend that the library cannot be found."""
    with fresh_caches():
        monkeypatch.setattr(native, "_library_path", lambda: None)
        yield


class fresh_caches:  # noqa: N801 - used as a function
    """Forget what was found out about the library, before and after."""

    def __enter__(self) -> None:
        self._clear()

    def __exit__(self, *reason: object) -> None:
        self._clear()

    @staticmethod
    def _clear() -> None:
        native_types.cache_clear()
        backends._native_function.cache_clear()
        native._library.cache_clear()
        native.dequantizer.cache_clear()


@pytest.mark.parametrize("kind", [*PYTHON_TYPES, *NATIVE_TYPES])
def test_each_type_costs_what_it_may(kind: str) -> None:
    found = backend_for(kind)
    if found is None:
        pytest.skip("no backend for this type on this machine")
    raw = found[1](ROWS, kind)
    assert raw.nbytes == len(ROWS) * row_bytes(ROWS.shape[1], kind)
    assert relative_error(ROWS, raw, kind) < RMSE_LIMITS[kind]


def test_q8_0_is_the_gguf_packages_to_the_byte() -> None:
    found = backend_for("Q8_0")
    assert found is not None
    expected = quants.quantize(ROWS, gguf.GGMLQuantizationType.Q8_0)
    np.testing.assert_array_equal(found[1](ROWS, "Q8_0").reshape(expected.shape), expected)


@needs_native
@pytest.mark.parametrize("kind", PYTHON_TYPES)
def test_the_gguf_package_equals_the_native_code_to_the_byte(kind: str) -> None:
    function = backends._native_function()
    assert function is not None
    expected = backends._call(function, ROWS, kind)
    np.testing.assert_array_equal(backends._with_gguf(ROWS, kind).reshape(-1), expected)


@needs_native
def test_native_comes_before_numpy() -> None:
    for kind in NATIVE_TYPES:
        found = backend_for(kind)
        assert found is not None
        assert found[0] == "ggml"


@needs_native
def test_rows_off_the_block_never_reach_the_native_code() -> None:
    function = backends._native_function()
    assert function is not None
    with pytest.raises(ValueError, match="Q4_K"):
        backends._call(function, ROWS[:, :300], "Q4_K")


@needs_native
@pytest.mark.parametrize("kind", NUMPY_TYPES)
def test_numpy_comes_within_two_percent_of_the_native_code(kind: str) -> None:
    native = relative_error(ROWS, backends._with_ggml(ROWS, kind), kind)
    ours = relative_error(ROWS, NUMPY_TYPES[kind](ROWS), kind)
    assert ours < native * 1.02


@pytest.mark.usefixtures("without_native")
def test_without_the_library_numpy_serves_what_it_can() -> None:
    assert native_types() == ()
    for kind in NUMPY_TYPES:
        found = backend_for(kind)
        assert found is not None
        assert found[0] == "numpy"
    assert backend_for("Q5_K") is None
    assert available_quantizations() == ("F32", "F16", "BF16", "Q8_0", "Q6_K", "Q4_K_M", "Q4_0")
    with pytest.raises(RuntimeError):
        backends._with_ggml(ROWS, "Q4_K")


def copying(change: Callable[[np.ndarray], None], result: Callable[[int], int] = int) -> Callable[..., int]:
    """Return a stand-in for the native function that does the right thing and then `change`s the bytes."""

    def quantize(kind: int, source: int, target: int, start: int, rows: int, length: int, weights: Any) -> int:
        values = np.ctypeslib.as_array(ctypes.cast(source, ctypes.POINTER(ctypes.c_float)), (rows, length))
        name = gguf.GGMLQuantizationType(kind).name
        if name in NUMPY_TYPES:
            raw = NUMPY_TYPES[name](values).reshape(-1)
        elif name in PYTHON_TYPES:
            raw = backends._with_gguf(values, name).reshape(-1)
        else:
            raw = np.zeros(rows * row_bytes(length, name), np.uint8)
        change(raw)
        ctypes.memmove(target, raw.ctypes.data, raw.nbytes)
        return result(raw.nbytes)

    return quantize


def nothing(raw: np.ndarray) -> None:
    return None


def first_byte(raw: np.ndarray) -> None:
    raw[5] ^= 1


FAULTY = {
    "wrong size returned": copying(nothing, lambda size: size - 1),
    "nothing written": copying(lambda raw: raw.fill(0)),
    "Q8_0 a bit off": copying(first_byte),
    "K types are zeros": copying(nothing),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_library_is_left_alone(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with fresh_caches():
        monkeypatch.setattr(backends, "_native_function", lambda: FAULTY[name])
        assert native_types() == ()
        native_types.cache_clear()
        monkeypatch.undo()


def test_a_library_that_cannot_be_loaded_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a library")
    with fresh_caches():
        monkeypatch.setattr(native, "_library_path", lambda: broken)
        assert native_types() == ()
        monkeypatch.undo()


def test_relative_error_of_zeros_is_absolute() -> None:
    zeros = np.zeros((1, 32), np.float32)
    assert relative_error(zeros, np.zeros(34, np.uint8), "Q8_0") == 0
