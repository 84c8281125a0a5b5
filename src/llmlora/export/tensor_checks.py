"""Checks of the tensors of an exported file against the trained model's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.export.check import Check, failed, passed
from llmlora.gguf.conversion import ConvertedTensor
from llmlora.gguf.reader import read_tensor

# Root mean square error of a tensor relative to its own, about twice what each type costs on Gaussian weights.
COARSEST = 0.65
MOVED_ROWS = 0.3  # error from which rows may be elsewhere: exchanged rows differ as two unrelated ones, by about 1.4
PIECE = 1 << 22  # values compared at once
RMSE_LIMITS = {
    "F32": 0.0, "F16": 0.0, "BF16": 0.0, "Q8_0": 0.02, "Q6_K": 0.05, "Q5_1": 0.1, "Q5_0": 0.1, "Q5_K": 0.08,
    "Q4_1": 0.2, "Q4_0": 0.2, "Q4_K": 0.15, "Q3_K": 0.32, "Q2_K": COARSEST,
}  # fmt: skip


def check_tensors(path: Path, tensors: Sequence[ConvertedTensor]) -> Check:
    """Compare every tensor with the trained model's: exact in F32, F16 and BF16, within the type's bound else."""
    header = read_gguf_header(path)
    kinds = {tensor.name: tensor.ggml_type for tensor in header.tensors}
    measured: dict[str, Any] = {"num_tensors": len(kinds), "max_relative_rmse": 0.0}
    unequal = sorted({tensor.name for tensor in tensors} ^ set(kinds))
    if unequal:
        return failed("tensors", "tensor_names", ", ".join(unequal[:5]), measured)
    for tensor in tensors:
        kind = kinds[tensor.name]
        values, expected = read_tensor(path, header, tensor.name), tensor.read()
        if values.shape != expected.shape:
            return failed("tensors", "tensor_shape", f"{tensor.name}: {expected.shape} != {values.shape}", measured)
        if not np.isfinite(values).all():
            return failed("tensors", "not_finite", tensor.name, measured)
        limit = RMSE_LIMITS.get(kind, COARSEST)
        error = relative_rmse(values, expected, kind)
        measured["max_relative_rmse"] = max(measured["max_relative_rmse"], error)
        if error > limit:
            is_moved = error > MOVED_ROWS and _is_reordered(values, expected, limit)
            cause = "row_order" if is_moved else "values"
            return failed("tensors", cause, f"{tensor.name} ({kind}): {error:.3g}", measured)
    return passed("tensors", measured)


def relative_rmse(values: np.ndarray, expected: np.ndarray, kind: str = "F32") -> float:
    """Return the root mean square of the difference over that of `expected`; the plain one where that is 0.

    `expected` is rounded to `kind` (F16, BF16) first. Works in pieces: the largest tensors are as large as a memory.
    """
    flat_values, flat_expected = values.reshape(-1), expected.reshape(-1)
    difference = scale = 0.0
    for start in range(0, flat_expected.size, PIECE):
        right = _rounded_like(flat_expected[start : start + PIECE], kind)
        difference += float(np.square(flat_values[start : start + PIECE] - right, dtype=np.float64).sum())
        scale += float(np.square(right, dtype=np.float64).sum())
    if scale > 0:
        return math.sqrt(difference / scale)
    return math.sqrt(difference / max(1, flat_expected.size))


def _rounded_like(expected: np.ndarray, kind: str) -> np.ndarray:
    if kind == "F16":
        return expected.astype(np.float16).astype(np.float32)
    if kind == "BF16":
        bits = np.ascontiguousarray(expected, dtype=np.float32).view(np.uint32)
        nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
        return nearest.astype(np.uint32).view(np.float32)
    return expected


def _is_reordered(values: np.ndarray, expected: np.ndarray, limit: float) -> bool:
    """Tell whether the rows are right but in another order, as when heads are permuted wrongly."""
    if values.ndim != 2:
        return False
    sums, expected_sums = np.sort(np.linalg.norm(values, axis=1)), np.sort(np.linalg.norm(expected, axis=1))
    return relative_rmse(sums, expected_sums) <= max(limit, 1e-3)
