"""The lessons on the page, walked from the text that users read."""

from __future__ import annotations

from pathlib import Path

from served import serving
from web.browser import needs_browser, needs_pages, run_script

pytestmark = [needs_pages, needs_browser]


def test_level_1_is_done_by_its_words(tmp_path: Path) -> None:
    """Every name in the text is pressed, filled in or seen; at the end the workspace ticks every step."""
    with serving(tmp_path) as server:
        finished = run_script("lesson.mjs", server, "1", timeout=600)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert int(finished.stdout.split()[0]) >= 15
