"""The packages of the pages: exact, complete for every system, and from no fixed address."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
LOCK = (ROOT / "web" / "package-lock.json").read_text(encoding="utf-8")


def test_versions_are_exact() -> None:
    versions = {**PACKAGE["dependencies"], **PACKAGE["devDependencies"]}
    assert not {name: version for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)}


def test_the_lock_file_names_no_place_to_load_from() -> None:
    assert '"resolved"' not in LOCK


@pytest.mark.parametrize(
    ("family", "count"), [("@tailwindcss/oxide-", 12), ("@rolldown/binding-", 15), ("@biomejs/cli-", 8)]
)
def test_the_lock_file_holds_the_native_parts_of_every_system(family: str, count: int) -> None:
    assert len(re.findall(rf'"node_modules/{family}', LOCK)) >= count
