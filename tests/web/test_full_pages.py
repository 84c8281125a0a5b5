"""The pages of all that a workspace can hold, in a real browser: each tab of jobs and data, results, Ollama."""

from __future__ import annotations

import re

import pytest

from web.browser import needs_browser, needs_pages, run_script
from web.full_workspace import busy_workspace, full_workspace

pytestmark = [needs_pages, needs_browser]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    with full_workspace(tmp_path_factory.mktemp("full")) as found:
        yield found


@pytest.mark.parametrize("looks", ["few", pytest.param("all", marks=pytest.mark.gate)])
def test_every_page_of_what_there_is(looks, workspace):
    """No fault of the console, no request elsewhere, nothing serious for axe, no scrolling sideways."""
    server, paths = workspace
    finished = run_script("smoke.mjs", server, looks, *paths, timeout=1800)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert re.search(rf"^{len(paths) * (2 if looks == 'few' else 6)} views, no fault$", finished.stdout.strip())


@pytest.mark.gate
def test_how_pages_are_put_together(tmp_path):
    """No path of the server, no sentence twice, one way to the evaluation, no crowded table, errors on sheets."""
    with busy_workspace(tmp_path) as (server, paths):
        finished = run_script("composition.mjs", server, str(server.home), *paths, timeout=1800)
        assert finished.returncode == 0, finished.stdout + finished.stderr
