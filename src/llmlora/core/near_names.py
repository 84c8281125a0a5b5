"""Names that were perhaps meant: offered in an error, never taken instead."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

NUM_NEAR, SIMILAR = 3, 0.5
MAX_NAME = 200  # comparing costs the product of the lengths


def near_names(name: str, known: Sequence[str], most: int = NUM_NEAR) -> str:
    """Return known names that are like a name but for capitals, the nearest first, in words; nothing without any."""
    folded = {other.casefold(): other for other in reversed(known)}
    close = get_close_matches(name[:MAX_NAME].casefold(), list(folded), most, SIMILAR)
    return ", ".join(folded[other] for other in close)
