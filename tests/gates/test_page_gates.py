"""The page at its limits: 50 reloads at random moments of a training, and charts by the clock of a quiet machine."""

import json

import pytest

from web.browser import needs_browser, needs_pages, run_chart_speed
from web.reloads import reload_while_training


@pytest.mark.gate
@needs_pages
@needs_browser
def test_fifty_reloads_while_it_trains(tmp_path):
    """No state goes back, no step is lost: the curve at the end is that of `events.jsonl`."""
    reload_while_training(tmp_path, times=50, epochs=40)


@pytest.mark.gate
@needs_browser
def test_charts_follow_the_hand(tmp_path):
    """Ten curves of 100,000 points within 300 ms, of the clock and of the processor, and 95 of 100 movements in 50."""
    found = run_chart_speed(tmp_path, times=5)
    print(json.dumps(found))
    assert sorted(found["draws"])[2] < 300
    assert min(found["busy"]) < 300
    assert found["p95"] < 50
