"""The one rule of how strongly an adapter counts."""

from __future__ import annotations

import pytest

from llmlora.core.lora import lora_scaling


@pytest.mark.parametrize(
    ("alpha", "rank", "use_rslora", "scaling"), [(16, 8, False, 2.0), (16, 16, True, 4.0), (0, 4, True, 0.0)]
)
def test_scaling_is_alpha_over_the_rank_or_its_root(
    alpha: float, rank: float, use_rslora: bool, scaling: float
) -> None:
    assert lora_scaling(alpha, rank, use_rslora) == scaling
