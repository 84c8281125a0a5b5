"""Who turns rows of float32 into blocks, per type: `gguf.quants`, llama.cpp's own C code where it is, or our numpy."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable
from functools import cache
from typing import cast

import numpy as np

import gguf
from gguf import quants
from llmlora.catalog.gguf_header import TENSOR_TYPES
from llmlora.gguf.blocks import dequantize_rows, row_bytes
from llmlora.gguf.container import TYPE_NUMBERS
from llmlora.gguf.kquants import quantize_q4_k, quantize_q6_k
from llmlora.gguf.native import native_function

logger = logging.getLogger(__name__)

QuantizeRows = Callable[[np.ndarray, str], np.ndarray]

PYTHON_TYPES = ("Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")
NATIVE_TYPES = ("Q6_K", "Q5_K", "Q4_K", "Q3_K", "Q2_K")
NUMPY_TYPES = {"Q4_K": quantize_q4_k, "Q6_K": quantize_q6_k}
# Relative root mean square error on Gaussian values, a tenth above what was measured.
RMSE_LIMITS = {
    "Q8_0": 0.0055, "Q6_K": 0.020, "Q5_K": 0.040, "Q5_1": 0.050, "Q5_0": 0.052, "Q4_K": 0.080, "Q4_1": 0.095,
    "Q4_0": 0.095, "Q3_K": 0.165, "Q2_K": 0.33,
}  # fmt: skip


def backend_for(ggml_type: str) -> tuple[str, QuantizeRows] | None:
    """Return name and function of the best backend for a block type; None when this machine has none."""
    if ggml_type in PYTHON_TYPES:
        return "gguf", _with_gguf
    if ggml_type in native_types():
        return "ggml", _with_ggml
    if ggml_type in NUMPY_TYPES:
        return "numpy", _with_numpy
    return None


def _with_gguf(rows: np.ndarray, ggml_type: str) -> np.ndarray:
    return np.asarray(quants.quantize(rows, gguf.GGMLQuantizationType(TYPE_NUMBERS[ggml_type])))


def _with_numpy(rows: np.ndarray, ggml_type: str) -> np.ndarray:
    return NUMPY_TYPES[ggml_type](rows)


def _with_ggml(rows: np.ndarray, ggml_type: str) -> np.ndarray:
    function = _native_function()
    if function is None:
        raise RuntimeError("no native quantiser")
    return _call(function, rows, ggml_type)


def _call(function: Callable[..., int], rows: np.ndarray, ggml_type: str) -> np.ndarray:
    """Call the C function on whole rows; it aborts the process on a row length off the block, so that comes first."""
    values = np.ascontiguousarray(rows, dtype=np.float32)
    num_rows, length = values.shape
    if length % TENSOR_TYPES[TYPE_NUMBERS[ggml_type]][1]:
        raise ValueError(f"{length} values in a row of {ggml_type}")
    result = np.zeros(num_rows * row_bytes(length, ggml_type), dtype=np.uint8)
    written = function(TYPE_NUMBERS[ggml_type], values.ctypes.data, result.ctypes.data, 0, num_rows, length, None)
    if written != result.nbytes:
        raise RuntimeError(f"{ggml_type}: {written} bytes instead of {result.nbytes}")
    return result


@cache
def native_types() -> tuple[str, ...]:
    """Return the types that llama.cpp's own code makes correctly in this process; empty when it cannot be used."""
    function = _native_function()
    if function is None:
        return ()
    try:
        return NATIVE_TYPES if _passes(function) else ()
    except (RuntimeError, ValueError, ctypes.ArgumentError) as error:
        logger.warning("the native quantiser failed its test: %s", error)
        return ()


def _passes(function: Callable[..., int]) -> bool:
    """Compare the C code with `gguf.quants`, and its error with what each type may cost."""
    rows = np.random.default_rng(7).standard_normal((8, 512)).astype(np.float32)
    if not np.array_equal(_call(function, rows, "Q8_0"), _with_gguf(rows, "Q8_0").reshape(-1)):
        logger.warning("the native quantiser's Q8_0 differs")
        return False
    for ggml_type in NATIVE_TYPES:
        error = relative_error(rows, _call(function, rows, ggml_type), ggml_type)
        if not error < RMSE_LIMITS[ggml_type]:
            logger.warning("the native quantiser's %s is off by %s", ggml_type, error)
            return False
    return True


def relative_error(rows: np.ndarray, raw: np.ndarray, ggml_type: str) -> float:
    """Return the root mean square error of quantised bytes relative to that of the values."""
    back = dequantize_rows(raw.reshape(-1), ggml_type)
    values = rows.reshape(-1).astype(np.float64)
    scale = float(np.sqrt(np.mean(values * values)))
    return float(np.sqrt(np.mean(np.square(back - values)))) / scale if scale else float(np.abs(back).max(initial=0.0))


@cache
def _native_function() -> Callable[..., int] | None:
    function = native_function("ggml_quantize_chunk")
    if function is None:
        return None
    address, count = ctypes.c_void_p, ctypes.c_int64
    function.argtypes = [ctypes.c_int, address, address, count, count, count, address]
    function.restype = ctypes.c_size_t
    return cast(Callable[..., int], function)
