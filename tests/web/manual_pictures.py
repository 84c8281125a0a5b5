"""python tests/web/manual_pictures.py: take the pictures of the user manual, of a server with real work done.

They go into `docs/images` with few colours, to be small.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from served import Served  # noqa: E402
from web.browser import ROOT, run_script  # noqa: E402
from web.full_workspace import busy_workspace  # noqa: E402

IMAGES = ROOT / "docs" / "images"
COLOURS = 64
# The address of each picture's page, as a pattern where it holds an id.
PICTURES = {
    "dashboard": "/",
    "datasets": "/datasets",
    "dataset": r"/datasets/\w+\?tab=preview",
    "new-job": r"/jobs/new\?from=\w+",
    "jobs": "/jobs",
    "job": r"/jobs/\w+",
    "evaluation": r"/jobs/\w+\?tab=evaluation",
    "compare": r"/compare\?jobs=\S+",
    "export": r"/exports/\w+",
    "chat": r"/chat\?models=\S+",
    "models": "/models",
    "tutorials": "/tutorials/1",
    "system": "/system",
    "settings": "/settings",
}


def main() -> None:
    """Do every kind of work to its end, leave a job running and one waiting, and take the pictures."""
    with tempfile.TemporaryDirectory() as home, busy_workspace(Path(home)) as (server, pages):
        take(server, pages)


def take(server: Served, pages: list[str]) -> None:
    """Take the pictures of a server whose pages with an id are these; ends the program with what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        finished = run_script("manual-pictures.mjs", server, folder, *addresses(pages), timeout=3600)
        if finished.returncode != 0:
            sys.exit(finished.stdout + finished.stderr)
        for path in Path(folder).glob("*.png"):
            with Image.open(path) as picture:
                picture.convert("RGB").quantize(COLOURS).save(IMAGES / path.name, optimize=True)


def addresses(pages: list[str]) -> list[str]:
    """Return each picture as NAME=ADDRESS, in a workspace whose pages with an id are these."""
    found = {
        name: next((page for page in pages if re.fullmatch(pattern, page)), pattern)
        for name, pattern in PICTURES.items()
    }
    return [f"{name}={address}" for name, address in found.items()]


if __name__ == "__main__":
    main()
