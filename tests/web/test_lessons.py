"""The lessons on the page, walked from the text that users read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from served import serving
from web.browser import needs_browser, needs_pages, run_script

pytestmark = [needs_pages, needs_browser]
LIMIT = 3600  # level 3 trains seven jobs and evaluates three


def gate(level: int, language: str, fewest: int) -> Any:
    return pytest.param(level, language, fewest, marks=pytest.mark.gate)


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize(
    ("level", "language", "fewest"),
    [
        (1, "ja", 20),
        gate(1, "en", 20),
        gate(2, "ja", 50),
        gate(2, "en", 50),
        gate(3, "ja", 100),
        gate(3, "en", 95),
    ],
)
def test_a_level_is_done_by_its_words(level: int, language: str, fewest: int, tmp_path: Path) -> None:
    """Every name in the text is pressed, filled in or seen; at the end the workspace ticks every step."""
    with serving(tmp_path) as server:
        finished = run_script("lesson.mjs", server, str(level), language, timeout=LIMIT)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert int(finished.stdout.split()[0]) >= fewest
