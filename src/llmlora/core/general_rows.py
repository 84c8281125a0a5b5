"""How many bundled general rows are trained along with the rows of a data file (`general_share`)."""

from __future__ import annotations

from typing import Any, Final

MOST_GENERAL_ROWS: Final = 128  # the package holds no more that the forgetting check does not ask about


def num_general_rows(share: Any, num_rows: int) -> int:
    """Return how many go with some training rows: at least one where any are asked for; 0 for what is no share."""
    if not isinstance(share, int | float) or not 0 < share <= 1:
        return 0
    return min(MOST_GENERAL_ROWS, max(1, round(share * num_rows)))


def num_general_among(share: Any, num_train_rows: int) -> int:
    """Return how many of all rows that are trained on are general ones, where they were added as `num_general_rows`."""
    counts = range(MOST_GENERAL_ROWS + 1)
    return next((count for count in counts if num_general_rows(share, num_train_rows - count) == count), 0)
