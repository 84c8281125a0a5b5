"""Steps are counted exactly, however the epochs are written."""

import pytest

from llmlora.core.epochs import exact_epochs, steps_in


@pytest.mark.parametrize(
    ("epochs", "steps_per_epoch", "steps"),
    [
        ([0.1, 0.2], 10, 3), ([0.1] * 10, 10, 10), ([0.1] * 10, 7, 7), ([1.1], 10, 11), ([0.3], 10, 3),
        ([0.07], 100, 7),
        ([1 / 3, 2 / 3], 3, 3), ([2 / 3], 3, 2), ([0.1 + 0.2], 10, 3), ([2.5], 5, 13), ([0.01], 5, 1), ([1e-5], 5, 1),
        ([0.29], 100, 29), ([10_000], 999, 9_990_000), ([4.35], 100, 435), ([1e-12], 3, 1), ([0.301], 10, 4),
    ],
)  # fmt: skip
def test_a_begun_step_counts_and_rounding_makes_none(epochs, steps_per_epoch, steps):
    assert steps_in(epochs, steps_per_epoch) == steps


def test_a_third_is_a_third():
    assert exact_epochs(1 / 3) * 3 == 1
