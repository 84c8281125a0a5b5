"""Bytes as people read them: decimal units, as disks, models and downloads are sold; the page does the same."""

from __future__ import annotations

from typing import Final

UNITS: Final = ("B", "KB", "MB", "GB", "TB")
STEP: Final = 1000
FEW: Final = 9.95  # megabytes: below it a decimal still tells something


def size_words(num_bytes: float) -> str:
    """Return a size with one decimal where that tells something: 2.6 GB, 3.4 MB, 21 MB, 0 B."""
    power, value = 0, float(num_bytes)
    while abs(value) >= STEP and power < len(UNITS) - 1:
        power, value = power + 1, value / STEP
    is_small = UNITS[power] == "MB" and abs(value) < FEW
    return f"{value:,.{1 if power > UNITS.index('MB') or is_small else 0}f} {UNITS[power]}"
