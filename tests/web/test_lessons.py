"""The lessons on the page, walked from the text that users read."""

from __future__ import annotations

from pathlib import Path

import pytest

from served import serving
from web.browser import needs_browser, needs_pages, run_script

pytestmark = [needs_pages, needs_browser]
LIMIT = 3600  # level 3 trains seven jobs and evaluates three


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize(
    ("level", "fewest"),
    [(1, 20), pytest.param(2, 50, marks=pytest.mark.gate), pytest.param(3, 100, marks=pytest.mark.gate)],
)
def test_a_level_is_done_by_its_words(level: int, fewest: int, tmp_path: Path) -> None:
    """Every name in the text is pressed, filled in or seen; at the end the workspace ticks every step."""
    with serving(tmp_path) as server:
        finished = run_script("lesson.mjs", server, str(level), timeout=LIMIT)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert int(finished.stdout.split()[0]) >= fewest
