"""Times as people read them: UTC, ISO, to the millisecond; they sort as they come."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

_CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TIME_DIGITS: Final = 10  # of the 26 of a ULID


def utc_now() -> str:
    """Return the present time."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def time_of_id(identifier: str) -> str:
    """Return when an id was made.

    Raises:
        ValueError: no ULID.
    """
    milliseconds = 0
    for digit in identifier[:_TIME_DIGITS]:
        milliseconds = 32 * milliseconds + _CROCKFORD.index(digit)
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="milliseconds")
    except (OverflowError, OSError) as error:
        raise ValueError(identifier) from error
