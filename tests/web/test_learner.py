"""What a learner does on the page: level 1 from nothing, by mouse and by keyboard; and reloads while it trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from served import serving
from web.browser import needs_browser, needs_pages, run_script
from web.queue_kills import kill_while_the_queue_works
from web.reloads import reload_while_training

pytestmark = [needs_pages, needs_browser]


@pytest.mark.parametrize("hand", ["mouse", pytest.param("keyboard", marks=pytest.mark.gate)])
def test_level_1_as_a_newcomer(hand: str, tmp_path: Path) -> None:
    """At most 8 clicks and 2 minutes from an empty workspace to the tuned answer, without a fault of the console."""
    with serving(tmp_path) as server:
        finished = run_script("newcomer.mjs", server, hand)
    assert finished.returncode == 0, finished.stdout + finished.stderr


def test_reloads_while_it_trains_lose_nothing(tmp_path: Path) -> None:
    """The page of a running job is reloaded at 5 random moments; its curve is what the events say, in every point."""
    reload_while_training(tmp_path, times=5, epochs=40)


@pytest.mark.parametrize(("num_jobs", "num_kills"), [(2, 1), pytest.param(5, 2, marks=pytest.mark.gate)])
def test_a_queue_whose_server_is_killed_ends_in_its_order(num_jobs: int, num_kills: int, tmp_path: Path) -> None:
    """The page says that it reconnects, goes on by itself, and shows all jobs ended in the order of the queue."""
    kill_while_the_queue_works(tmp_path, num_jobs, num_kills)
