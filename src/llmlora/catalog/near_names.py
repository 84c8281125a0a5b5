"""Names that were perhaps meant: offered in an error, never taken instead."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

NUM_NEAR, SIMILAR = 3, 0.5
MAX_NAME = 200  # comparing costs the product of the lengths


def near_names(name: str, known: Sequence[str]) -> str:
    """Return up to three known names that are like a name, in words; a dash when there are none."""
    return ", ".join(get_close_matches(name[:MAX_NAME], known, NUM_NEAR, SIMILAR)) or "-"
