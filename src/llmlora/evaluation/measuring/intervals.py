"""How sure a share is that was measured on few questions: bootstrap intervals over questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

RESAMPLES = 2_000
SEED = 0
LOW, HIGH = 0.025, 0.975  # 95 % lie between

Hits = list[list[bool]]  # for each question what was hit of what was asked; empty for one that was not asked so


def share_interval(hits: Sequence[int], asked: Sequence[int]) -> tuple[float, float]:
    """Return between which shares 95 % of the resamples lie; `hits` of `asked` are those of each question.

    A resample draws as many questions as there are, with repetition; what belongs to one question stays together. The
    draws are the same in every call with as many questions.
    """
    size = len(asked)
    drawn = np.random.default_rng(SEED).integers(0, size, (RESAMPLES, size))
    shares = np.asarray(hits)[drawn].sum(axis=1) / np.asarray(asked)[drawn].sum(axis=1)
    low, high = np.quantile(shares, (LOW, HIGH), method="inverted_cdf")
    return float(low), float(high)


def overlap(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Tell whether two intervals have a share in common, be it an end."""
    return one[0] <= other[1] and other[0] <= one[1]


def share_of(hits: Hits) -> dict[str, Any] | None:
    """Return the share of what was asked that came, with its interval over the questions; None when nothing was."""
    asked = [found for found in hits if found]
    if not asked:
        return None
    carried, total = [sum(found) for found in asked], [len(found) for found in asked]
    low, high = share_interval(carried, total)
    share = sum(carried) / sum(total)
    return {
        "carried": sum(carried),
        "asked": sum(total),
        "share": round(share, 4),
        "low": round(low, 4),
        "high": round(high, 4),
    }
