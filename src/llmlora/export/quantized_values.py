"""Values of a quantised tensor against the trained ones, within what the arithmetic of its type allows.

Four things are held to bounds: the error of the whole tensor, that of every block (a lost block, exchanged or flipped
rows), the factor between the values and the trained ones, of the tensor and of each row (a wrong scale), and the mean
difference (a shift).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from llmlora.gguf.blocks import block_size

Problem = tuple[str, str]
MIN_ROW = 256  # values of a row from which its own factor says something
# A lost block has an error of 1, a flipped one of 2, another block's values 1.4.
WRONG_BLOCK = 0.95


@dataclass(frozen=True)
class Bounds:
    """Largest errors of a type, relative to the trained values unless stated.

    `rmse` root mean square over a tensor, `block` over one block, `scale` and `row_scale` distance of the factor from
    1, `shift` mean difference over the root mean square. `levels` is half the number of values between a block's
    smallest and largest, `multiple` the largest whole number that a block's 16-bit scale is multiplied with.
    """

    rmse: float
    block: float
    scale: float
    row_scale: float
    shift: float
    levels: float
    multiple: int

    @property
    def floor(self) -> float:
        """Error per value that rounding the smallest 16-bit scales costs, however small the values are."""
        return 2.0**-24 * self.multiple


# Measured on every tensor of SmolLM2-135M and Gemma 3 270M in every type (tests/export/test_real_values.py repeats some
# of it), and on values with heavy tails; the bounds are 1.5 to 3 times the largest. `rmse` is twice what Gaussian
# weights cost.
BOUNDS = {
    "Q8_0": Bounds(0.02, 0.05, 0.005, 0.008, 0.002, 127.5, 127),
    "Q6_K": Bounds(0.05, 0.10, 0.005, 0.015, 0.002, 31.5, 4064),
    "Q5_K": Bounds(0.08, 0.15, 0.008, 0.020, 0.005, 15.5, 1953),
    "Q5_1": Bounds(0.10, 0.25, 0.030, 0.050, 0.005, 15.5, 31),
    "Q5_0": Bounds(0.10, 0.30, 0.008, 0.030, 0.005, 15.5, 16),
    "Q4_K": Bounds(0.15, 0.30, 0.010, 0.030, 0.005, 7.5, 945),
    "Q4_1": Bounds(0.20, 0.40, 0.020, 0.050, 0.020, 7.5, 15),
    "Q4_0": Bounds(0.20, 0.45, 0.015, 0.060, 0.012, 7.5, 8),
    "Q3_K": Bounds(0.32, 0.50, 0.015, 0.070, 0.010, 3.5, 128),
    "Q2_K": Bounds(0.65, 0.80, 0.035, 0.120, 0.016, 1.5, 45),
}


@dataclass
class Sums:
    """Sums over one tensor: of squared errors and weights, of errors along the weights, and along the update."""

    num_values: int = 0
    error: float = 0.0
    weight: float = 0.0
    along: float = 0.0
    bias: float = 0.0
    update: float = 0.0
    along_update: float = 0.0

    def add(self, error: np.ndarray, weight: np.ndarray) -> None:
        """Add the values of a piece."""
        flat_error, flat_weight = error.reshape(-1), weight.reshape(-1)
        self.num_values += flat_error.size
        self.error += float(np.dot(flat_error, flat_error))
        self.weight += float(np.dot(flat_weight, flat_weight))
        self.along += float(np.dot(flat_error, flat_weight))
        self.bias += float(flat_error.sum())

    def add_update(self, error: np.ndarray, update: np.ndarray) -> None:
        """Add what training changed in a piece, and how much of the error lies along it."""
        flat = update.reshape(-1)
        self.update += float(np.dot(flat, flat))
        self.along_update += float(np.dot(error.reshape(-1), flat))

    @property
    def relative_rmse(self) -> float:
        """Root mean square of the error over that of the weights; the plain one where they are 0."""
        return math.sqrt(self.error / (self.weight if self.weight > 0 else max(1, self.num_values)))

    @property
    def scale_error(self) -> float:
        """Distance from 1 of the factor that fits the values to the weights best."""
        return self.along / self.weight if self.weight > 0 else 0.0

    @property
    def shift(self) -> float:
        """Mean of the error over the root mean square of the weights."""
        return self.bias / math.sqrt(self.weight * self.num_values) if self.weight > 0 else 0.0

    @property
    def update_share(self) -> float:
        """How much of what training changed is in the values: 1 all of it, 0 nothing."""
        return 1 + self.along_update / self.update if self.update > 0 else 1.0


def tensor_problem(sums: Sums, kind: str) -> Problem | None:
    """Return what is wrong with a whole quantised tensor; float types are judged value by value."""
    bounds = BOUNDS.get(kind)
    if bounds is None:
        return None
    floor = bounds.floor / math.sqrt(sums.weight / sums.num_values) if sums.weight > 0 else math.inf
    noise = 4 * sums.relative_rmse / math.sqrt(max(1, sums.num_values))
    if sums.relative_rmse > bounds.rmse + floor:
        return "values", f"({kind}): {sums.relative_rmse:.3g}"
    if abs(sums.scale_error) > bounds.scale + noise + floor:
        return "scale", f"({kind}): {1 + sums.scale_error:.4f}"
    if abs(sums.shift) > bounds.shift + noise + floor:
        return "shift", f"({kind}): {sums.shift:.4f}"
    return None


def block_problem(error: np.ndarray, weight: np.ndarray, kind: str, sums: Sums) -> Problem | None:
    """Add a piece of whole rows to `sums`, and return what is wrong with one of its blocks or rows."""
    bounds, size = BOUNDS.get(kind), block_size(kind)
    if bounds is None:
        return "values", f"({kind})"
    blocks, weights = error.reshape(-1, size), np.ascontiguousarray(weight, np.float32).reshape(-1, size)
    errors, squares, along = (
        np.einsum("ij,ij->i", left, right) for left, right in ((blocks, blocks), (weights, weights), (blocks, weights))
    )
    first = sums.num_values // error.shape[-1]
    sums.num_values += error.size
    sums.error += float(errors.sum(dtype=np.float64))
    sums.weight += float(squares.sum(dtype=np.float64))
    sums.along += float(along.sum(dtype=np.float64))
    sums.bias += float(error.sum(dtype=np.float64))
    over = np.flatnonzero(errors - size * bounds.floor**2 > squares * bounds.block**2)
    for index in over:
        # Values with heavy tails: the error may be as large as the steps between the block's extremes make it.
        step = float(np.abs(weights[index]).max()) / bounds.levels
        is_lost = errors[index] >= WRONG_BLOCK**2 * squares[index]
        if is_lost or math.sqrt(errors[index] / size) > step / 2:
            row = first + index // (error.shape[-1] // size)
            share = math.sqrt(errors[index] / squares[index]) if squares[index] else math.inf
            return "values", f"({kind}) row {row}: {share:.3g}"
    if error.shape[-1] < MIN_ROW:
        return None
    row_along, row_squares = (sum_.reshape(len(error), -1).sum(axis=1) for sum_ in (along, squares))
    floor = bounds.floor * np.sqrt(row_squares * error.shape[-1])
    wrong = np.flatnonzero(np.abs(row_along) > bounds.row_scale * row_squares + floor)
    if len(wrong):
        return "scale", f"({kind}) row {first + wrong[0]}: {1 + row_along[wrong[0]] / row_squares[wrong[0]]:.3f}"
    return None
