"""The packages of the pages: complete for every system, and from no fixed address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")


def test_the_lock_file_names_no_place_to_load_from() -> None:
    assert '"resolved"' not in LOCK


@pytest.mark.parametrize(
    ("family", "count"), [("@tailwindcss/oxide-", 12), ("@rolldown/binding-", 15), ("@biomejs/cli-", 8)]
)
def test_the_lock_file_holds_the_native_parts_of_every_system(family: str, count: int) -> None:
    assert len(re.findall(rf'"node_modules/{family}', LOCK)) >= count
