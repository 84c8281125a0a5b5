"""Values of a float tensor in a file against the trained ones: exact, but for what adding up in another order moves."""

from __future__ import annotations

import numpy as np

from llmlora.gguf.blocks import round_bfloat16, widen_bfloat16

FLOAT_KINDS = ("F32", "F16", "BF16")
# A value moves by one step of F16 or BF16 only where the sum lies next to the middle between two of them.
MOVED_SHARE = 0.01
# float32 is the type of the sums themselves: where base and product cancel, the product's own last bits are seen.
FLOAT32_STEPS = 4
MOVED_FEW = 4  # in a piece so small that the share is less than a value


def float_difference(
    raw: np.ndarray, values: np.ndarray, trained: np.ndarray, base: np.ndarray | None, kind: str
) -> tuple[np.ndarray, tuple[str, str] | None]:
    """Return the differences from the rounded trained values, and a problem when they are not explained.

    `raw` are the bytes in the file and `values` what they are worth. Where `base` is given, `trained` is a sum of it
    and a product of matrices, whose last bit depends on the number of threads: there one step of the type is allowed,
    of the size that the largest of sum and parts has.
    """
    rounded, bits = _rounded(trained, kind)
    error = values - rounded
    differs = raw.view(bits.dtype).reshape(-1) != bits.reshape(-1)
    num_different = int(np.count_nonzero(differs))
    if not num_different:
        return error, None
    different = error.reshape(-1)[differs]
    if base is not None:
        parts = (values, trained, base, trained - base)
        sizes = [np.abs(numbers.reshape(-1)[differs]) for numbers in parts]
        is_step = np.abs(different) <= _step(np.max(sizes, axis=0), kind)
        is_rare = kind == "F32" or num_different <= max(MOVED_FEW, MOVED_SHARE * values.size)
        if is_rare and is_step.all():
            return error, None
    elif not np.any(different):  # two ways to write zero
        return error, None
    return error, ("values", f"({kind}): {num_different} values, {float(np.abs(different).max()):.3g}")


def _rounded(values: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what the values are worth in a type, and its bits."""
    values = np.ascontiguousarray(values, dtype=np.float32)
    if kind == "F32":
        return values, values.view(np.uint32)
    if kind == "F16":
        half = values.astype(np.float16)
        return half.astype(np.float32), half.view(np.uint16)
    stored = round_bfloat16(values)
    return widen_bfloat16(stored), stored


def _step(values: np.ndarray, kind: str) -> np.ndarray:
    """Return how far a number of this size may have moved: one step of the type, as float32."""
    if kind == "F16":
        return np.spacing(values.astype(np.float16)).astype(np.float32)
    spacing = np.spacing(values.astype(np.float32))
    return spacing * np.float32(FLOAT32_STEPS if kind == "F32" else 1 << 16)
