"""Counts in fractions of an epoch, exact where floating point is not: 0.1 + 0.2 epochs of ten steps are three steps."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction

# Tells every fraction that somebody writes from its neighbours, and is far above the rounding of a float.
LARGEST_DENOMINATOR = 10**9


def exact_epochs(epochs: float) -> Fraction:
    """Return the fraction that a number of epochs stands for: 0.30000000000000004 is 3/10."""
    return Fraction(epochs).limit_denominator(LARGEST_DENOMINATOR)


def steps_in(epochs: Iterable[float], steps_per_epoch: int) -> int:
    """Return the optimizer steps that some stretches of epochs last together: a begun one counts, at least one."""
    return max(1, math.ceil(sum(map(exact_epochs, epochs), Fraction()) * steps_per_epoch))
