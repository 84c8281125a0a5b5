"""python tests/web/screenshots.py FOLDER [PATH...]: pictures of the pages in their four states, of real servers.

Without paths the one of the manual is taken too, and put into `docs/images` with few colours, to be small.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from served import Served, serving  # noqa: E402
from web.browser import ENDED, ROOT, add_dataset, ask, run_script  # noqa: E402
from web.full_workspace import full_workspace  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LONGEST = 1100  # pixels of a page's picture from its top
COLOURS = 160


def main() -> None:
    """Do every kind of work to its end, leave a job running and one waiting, and take the pictures in every state."""
    folder, *paths = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as server:
        take(server, folder, "empty", *(paths or ["all"]))
    with tempfile.TemporaryDirectory() as home, full_workspace(Path(home)) as (server, pages):
        large = add_dataset(server, "実用技術知識Q&A", "level2_practical_knowledge.json")
        wish = {"base_model": "nano", "dataset_id": large, "settings": {"num_train_epochs": 400}}
        names = ("実用技術知識モデル", "実用技術知識モデル_v2")
        jobs = [ask(server, "/api/training/jobs", {**wish, "name": name})["id"] for name in names]
        try:
            for state in ("ready", "loading", "failed"):
                take(server, folder, state, *(paths or ["all", *pages]))
        finally:
            for job in reversed(jobs):  # else its worker would go on without the server
                ask(server, f"/api/jobs/{job}/cancel", {})
            wait_until_idle(server)
    if not paths:
        illustrate(Path(folder), pages[0])


def wait_until_idle(server: Served) -> None:
    """Return when no job of a server is at work or waits."""
    while any(job["status"] not in ENDED for job in ask(server, "/api/training/jobs")["items"]):
        time.sleep(0.2)


def take(server: Served, folder: str, state: str, *paths: str) -> None:
    """Take the pictures of pages in one state; ends the program with what went wrong."""
    finished = run_script("screenshots.mjs", server, folder, state, *paths, timeout=3600)
    if finished.returncode != 0:
        sys.exit(finished.stdout + finished.stderr)


def illustrate(folder: Path, job_page: str) -> None:
    """Put the picture of the finished job in its place in the manual, by the name that `screenshots.mjs` gives it."""
    for language in ("ja", "en"):
        taken = folder / f"{job_page.strip('/').replace('/', '-')}.ready.{language}.light.1280.png"
        with Image.open(taken) as picture:
            top = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, LONGEST)))
            top.quantize(COLOURS).save(IMAGES / f"job.{language}.png", optimize=True)


if __name__ == "__main__":
    main()
