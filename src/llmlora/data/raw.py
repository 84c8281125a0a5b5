"""One row as it stands in a file, before its columns mean anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RawRow:
    """`row` is the 1-based example, `line` the 1-based physical line it starts on, `value` what was there."""

    row: int
    line: int
    value: dict[str, Any]
