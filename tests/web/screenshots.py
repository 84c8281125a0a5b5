"""python tests/web/screenshots.py FOLDER [PATH...]: pictures of the pages in their four states, of real servers."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from served import Served, serving  # noqa: E402
from web.browser import run_script  # noqa: E402
from web.full_workspace import busy_workspace  # noqa: E402


def main() -> None:
    """Take the pages of an empty workspace, and of one with all work done, one job running and one waiting."""
    folder, *paths = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as server:
        take(server, folder, "empty", *(paths or ["all"]))
    with tempfile.TemporaryDirectory() as home, busy_workspace(Path(home)) as (server, pages):
        for state in ("ready", "loading", "failed"):
            take(server, folder, state, *(paths or ["all", *pages]))
        take(server, folder, "gone", *(paths or pages[:1]))


def take(server: Served, folder: str, state: str, *paths: str) -> None:
    """Take the pictures of pages in one state; ends the program with what went wrong."""
    finished = run_script("screenshots.mjs", server, folder, state, *paths, timeout=3600)
    if finished.returncode != 0:
        sys.exit(finished.stdout + finished.stderr)


if __name__ == "__main__":
    main()
