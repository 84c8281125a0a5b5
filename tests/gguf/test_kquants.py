"""Q4_K and Q6_K in numpy: layout as the gguf package reads it, error as small as it should be, odd values safe."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from llmlora.gguf.backends import relative_error
from llmlora.gguf.blocks import dequantize_rows
from llmlora.gguf.kquants import quantize_q4_k, quantize_q6_k

Quantize = Callable[[np.ndarray], np.ndarray]
KINDS: dict[str, tuple[Quantize, int, float, float]] = {
    # bytes of a block, error on Gaussian values, error on the values of one block as a share of its largest
    "Q4_K": (quantize_q4_k, 144, 0.073, 0.08),
    "Q6_K": (quantize_q6_k, 210, 0.0181, 0.04),
}
RANDOM = np.random.default_rng(5)


def back(kind: str, values: np.ndarray) -> np.ndarray:
    return dequantize_rows(KINDS[kind][0](values).reshape(-1), kind)


@pytest.mark.parametrize("kind", KINDS)
def test_size_and_error_on_gaussian_values(kind: str) -> None:
    quantize, width, limit, _ = KINDS[kind]
    values = RANDOM.standard_normal((64, 1024)).astype(np.float32)
    raw = quantize(values)
    assert (raw.shape, raw.dtype) == ((256, width), np.uint8)
    assert relative_error(values, raw, kind) < limit


SHAPES = {
    "heavy tails": RANDOM.standard_t(3, 2048),
    "all positive": RANDOM.random(2048) + 5,
    "all negative": -RANDOM.random(2048) - 5,
    "as small as weights": RANDOM.standard_normal(2048) * 0.02,
    "large": RANDOM.standard_normal(2048) * 1e3,
    "one outlier a block": np.where(np.arange(2048) % 256 == 7, 40.0, RANDOM.standard_normal(2048)),
    "different scales": RANDOM.standard_normal(2048) * np.repeat(10.0 ** RANDOM.integers(-2, 3, 64), 32),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SHAPES)
def test_other_distributions_stay_near(kind: str, name: str) -> None:
    values = SHAPES[name].astype(np.float32)
    error = np.abs(back(kind, values) - values).reshape(-1, 256).max(axis=1)
    assert (error <= KINDS[kind][3] * np.abs(values).reshape(-1, 256).max(axis=1)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_stay_zero_next_to_values(kind: str) -> None:
    values = np.zeros((3, 256), np.float32)
    values[1] = RANDOM.standard_normal(256)
    found = back(kind, values).reshape(3, 256)
    assert not found[0].any()
    assert not found[2].any()
    assert found[1].any()


@pytest.mark.parametrize("kind", KINDS)
def test_exact_grids_are_kept(kind: str) -> None:
    """Values that lie on the type's own grid come back as they were."""
    grid = np.tile(
        np.arange(16, dtype=np.float32) - 8 if kind == "Q4_K" else np.arange(-8, 8, dtype=np.float32) * 4, 32
    )
    assert np.abs(back(kind, grid) - grid).max() < 0.02 * np.abs(grid).max()


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_do_not_matter(kind: str) -> None:
    quantize = KINDS[kind][0]
    values = RANDOM.standard_normal((2100, 256)).astype(np.float32)
    np.testing.assert_array_equal(quantize(values)[-60:], quantize(values[-60:]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_sign_of_everything_turns(kind: str) -> None:
    values = RANDOM.standard_normal(4096).astype(np.float32)
    both = [relative_error(part, KINDS[kind][0](part), kind) for part in (values, -values)]
    assert abs(both[0] - both[1]) < 0.05 * both[0]
