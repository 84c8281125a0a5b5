"""The page at its limits: 50 reloads at random moments of a training."""

import pytest

from web.browser import needs_browser, needs_pages
from web.reloads import reload_while_training


@pytest.mark.gate
@needs_pages
@needs_browser
def test_fifty_reloads_while_it_trains(tmp_path):
    """No state goes back, no step is lost: the curve at the end is that of `events.jsonl`."""
    reload_while_training(tmp_path, times=50, epochs=40)
