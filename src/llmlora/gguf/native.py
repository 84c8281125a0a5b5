"""llama.cpp's own routines for blocks of values, in the shared library that xllamacpp brings.

They are not promised to be there: each is looked up, tested on fixed values against `gguf.quants`, and left alone when
anything is unexpected.
"""

from __future__ import annotations

import ctypes
import importlib.util
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import gguf
from gguf import quants
from llmlora.catalog.gguf_header import TENSOR_TYPES
from llmlora.gguf.container import TYPE_NUMBERS

logger = logging.getLogger(__name__)

Dequantize = Callable[[np.ndarray, np.ndarray], None]

_TESTED_BLOCKS = 64


@cache
def dequantizer(ggml_type: str) -> Dequantize | None:
    """Return what writes the float32 values of raw bytes (whole blocks, contiguous) into an array; None without one."""
    function = native_function(f"dequantize_row_{ggml_type.lower().replace('_k', '_K')}")
    if function is None:
        return None
    function.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64]
    function.restype = None

    def dequantize(raw: np.ndarray, values: np.ndarray) -> None:
        function(raw.ctypes.data, values.ctypes.data, values.size)

    if _is_exact(dequantize, ggml_type):
        return dequantize
    logger.warning("the native dequantiser of %s differs", ggml_type)
    return None


def native_function(name: str) -> Any:
    """Return a C function of the library; None when it is not there."""
    library = _library()
    try:
        return None if library is None else getattr(library, name)
    except AttributeError:
        return None


def _is_exact(dequantize: Dequantize, ggml_type: str) -> bool:
    """Compare with `gguf.quants` on every bit of values made of arbitrary bytes."""
    number = TYPE_NUMBERS[ggml_type]
    _, block, width = TENSOR_TYPES[number]
    raw = np.random.default_rng(7).integers(0, 256, _TESTED_BLOCKS * width, dtype=np.uint8)
    values = np.empty(_TESTED_BLOCKS * block, dtype=np.float32)
    dequantize(raw, values)
    with np.errstate(all="ignore"):  # some of the scales are NaN or infinity
        expected = quants.dequantize(raw.reshape(1, -1), gguf.GGMLQuantizationType(number)).reshape(-1)
    return np.array_equal(values, expected, equal_nan=True)


@cache
def _library() -> ctypes.CDLL | None:
    path = _library_path()
    try:
        return None if path is None else ctypes.CDLL(str(path))
    except OSError as error:
        logger.info("no native routines: %s", error)
        return None


def _library_path() -> Path | None:
    spec = importlib.util.find_spec("xllamacpp")
    folders = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    found = [path for folder in folders for pattern in ("*.so", "*.pyd") for path in sorted(folder.glob(pattern))]
    return found[0] if found else None
