"""A free place beside others of the same name: name, name-2, name-3 …"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path


def free_place(wanted: Path) -> Path:
    """Return `wanted`, or the first of wanted-2, wanted-3 … that nothing or an empty folder has as its name."""
    return next(place for place in numbered(wanted) if is_free(place))


def is_free(place: Path) -> bool:
    """Tell whether nothing is there, or an empty folder."""
    try:
        return not place.exists() or (place.is_dir() and not any(place.iterdir()))
    except OSError:
        return False


def numbered(wanted: Path) -> Iterator[Path]:
    """Yield `wanted`, wanted-2, wanted-3 … without an end."""
    yield wanted
    yield from (wanted.with_name(f"{wanted.name}-{number}") for number in count(2))
