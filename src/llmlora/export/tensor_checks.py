"""Checks of the tensors of an exported file against the trained model's, each read once and piece by piece."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_header import GgufTensor, read_gguf_header
from llmlora.export.check import Check, failed, passed
from llmlora.export.float_values import FLOAT_KINDS, float_difference
from llmlora.export.quantized_values import BOUNDS, Problem, Sums, block_problem, tensor_problem
from llmlora.export.update_check import LIMIT, UpdateShares, is_merged, update_check
from llmlora.gguf.conversion import ConvertedTensor
from llmlora.gguf.reader import iter_rows, read_tensor

MOVED_ROWS = 0.3  # error from which rows may be elsewhere: exchanged rows differ as two unrelated ones, by about 1.4
PIECE = 1 << 20  # values compared at once: they stay in the processor's cache


@dataclass(frozen=True)
class _Sides:
    """The values that one tensor is compared with; `base` only where training changed it."""

    trained: np.ndarray
    base: np.ndarray | None


def check_tensors(
    path: Path, tensors: Sequence[ConvertedTensor], base: Mapping[str, ConvertedTensor] | None = None
) -> list[Check]:
    """Compare every tensor with the trained model's, and how much of what training changed is in the file.

    `base` holds the untouched base's tensors under the names of those that training changed; without it the second
    check, `update`, is left out. F32, F16 and BF16 must be exact (to one unit in the last place where an adapter is
    merged again, whose sums depend on the number of threads), others within their type's bounds.
    """
    header = read_gguf_header(path)
    stored = {tensor.name: tensor for tensor in header.tensors}
    measured: dict[str, Any] = {"num_tensors": len(stored), "max_relative_rmse": 0.0, "max_scale_error": 0.0}
    unequal = sorted({tensor.name for tensor in tensors} ^ set(stored))
    if unequal:
        return [failed("tensors", "tensor_names", ", ".join(unequal[:5]), measured)]
    shares = UpdateShares()
    for tensor in tensors:
        problem = compare_tensor(path, stored[tensor.name], tensor, (base or {}).get(tensor.name), measured, shares)
        if problem is not None:
            return [failed("tensors", problem[0], f"{tensor.name} {problem[1]}", measured)]
    checks = [passed("tensors", measured)]
    return checks if base is None else [*checks, update_check(shares)]


def compare_tensor(
    path: Path,
    stored: GgufTensor,
    tensor: ConvertedTensor,
    base: ConvertedTensor | None,
    measured: dict[str, Any],
    shares: UpdateShares,
) -> Problem | None:
    """Compare one tensor of a file with the trained one; what is measured is added to `measured` and `shares`."""
    if stored.shape != tensor.shape:
        return "tensor_shape", f"{tensor.shape} != {stored.shape}"
    sides = _Sides(tensor.read(), base.read() if base is not None and base.shape == tensor.shape else None)
    kind, sums = stored.ggml_type, Sums()
    problem = _piece_problem(path, stored, sides, sums) or tensor_problem(sums, kind)
    measured["max_relative_rmse"] = max(measured["max_relative_rmse"], sums.relative_rmse)
    measured["max_scale_error"] = max(measured["max_scale_error"], abs(sums.scale_error))
    if problem is not None:
        return _explained(path, stored, sides, problem)
    if sums.update > 0:
        shares.add(tensor.name, sums)
        if sums.update_share < LIMIT and not is_merged(path, stored, sides.trained, sides.base):
            return "not_merged", f"({kind}): {sums.update_share:.0%}"
    return None


def _piece_problem(path: Path, stored: GgufTensor, sides: _Sides, sums: Sums) -> Problem | None:
    """Read the tensor from the file and add up what is measured; stop at the first value that cannot be right."""
    length = stored.shape[-1]
    trained = sides.trained.reshape(-1, length)
    base = None if sides.base is None else sides.base.reshape(-1, length)
    problem: Problem | None = None
    for start, raw, values in iter_rows(path, stored, max(1, PIECE // length)):
        rows = slice(start, start + len(values))
        right, before = trained[rows], None if base is None else base[rows]
        error = values - right
        if not np.isfinite(np.dot(error.reshape(-1), error.reshape(-1))):
            return "not_finite", f"({stored.ggml_type})"
        if before is not None:
            sums.add_update(error, right - before)
        if stored.ggml_type in FLOAT_KINDS:
            error, wrong = float_difference(raw, values, right, before, stored.ggml_type)
            problem = problem or wrong
            sums.add(error, right)
        else:
            problem = problem or block_problem(error, right, stored.ggml_type, sums)
    return problem


def _explained(path: Path, stored: GgufTensor, sides: _Sides, problem: Problem) -> Problem:
    """Return a problem with a cause that says more, where there is one: an unmerged adapter, rows elsewhere."""
    if problem[0] not in ("values", "scale", "shift"):
        return problem
    if sides.base is not None and not is_merged(path, stored, sides.trained, sides.base):
        return "not_merged", problem[1]
    if problem[0] != "values":
        return problem
    values = read_tensor(path, read_gguf_header(path), stored.name)
    limit = max(BOUNDS[stored.ggml_type].rmse if stored.ggml_type in BOUNDS else 0.0, 1e-3)
    if relative_rmse(values, sides.trained) > MOVED_ROWS and _is_reordered(values, sides.trained, limit):
        return "row_order", problem[1]
    return problem


def relative_rmse(values: np.ndarray, expected: np.ndarray) -> float:
    """Return the root mean square of the difference over that of `expected`; the plain one where that is 0."""
    difference = float(np.square(values - expected, dtype=np.float64).sum())
    scale = float(np.square(expected, dtype=np.float64).sum())
    return math.sqrt(difference / (scale if scale > 0 else max(1, expected.size)))


def _is_reordered(values: np.ndarray, expected: np.ndarray, limit: float) -> bool:
    """Tell whether the rows are right but in another order, as when heads are permuted wrongly."""
    if values.ndim != 2:
        return False
    sums, expected_sums = np.sort(np.linalg.norm(values, axis=1)), np.sort(np.linalg.norm(expected, axis=1))
    return relative_rmse(sums, expected_sums) <= limit
