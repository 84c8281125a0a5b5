"""python tests/web/screenshots.py FOLDER [PATH...]: pictures of the pages of a real server with real jobs.

Without paths those of the user manual are taken too, and put into `docs/images` with few colours, to be small.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from PIL import Image

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from served import serving  # noqa: E402
from web.browser import ROOT, add_dataset, ask, run_script, train  # noqa: E402

IMAGES = ROOT / "docs" / "images"
LONGEST = 1100  # pixels of a page's picture from its top
COLOURS = 64
# Picture of the manual -> the beginning of the name that `screenshots.mjs` gives the page
MANUAL = {
    "home": "home",
    "datasets": "datasets",
    "dataset": "datasets-{dataset}",
    "new-job": "jobs-new",
    "jobs": "jobs",
    "job": "jobs-{job}",
    "models": "models",
    "chat": "chat",
    "compare": "compare",
    "exports": "exports-new",
    "system": "system",
    "settings": "settings",
}


def main() -> None:
    """Train one job to its end, leave one running and one waiting, and take the pictures."""
    folder, *paths = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as server:
        small = add_dataset(server, "レベル1 基本Q&A")
        done = train(server, small, "基本Q&A", num_train_epochs=10)
        large = add_dataset(server, "実用技術知識Q&A", "level2_practical_knowledge.json")
        wish = {"base_model": "nano", "dataset_id": large, "settings": {"num_train_epochs": 400}}
        for name in ("実用技術知識モデル", "実用技術知識モデル_v2"):
            ask(server, "/api/training/jobs", {**wish, "name": name})
        wanted = paths or ("all", f"/jobs/{done}", f"/datasets/{small}")
        finished = run_script("screenshots.mjs", server, folder, *wanted, timeout=900)
    sys.stdout.write(finished.stdout + finished.stderr)
    if finished.returncode == 0 and not paths:
        illustrate(Path(folder), {"job": done, "dataset": small})
    sys.exit(finished.returncode)


def illustrate(folder: Path, ids: dict[str, str]) -> None:
    """Put the pictures of the manual in their place."""
    for name, taken in MANUAL.items():
        for language in ("ja", "en"):
            with Image.open(folder / f"{taken.format(**ids)}.{language}.light.1280.png") as picture:
                top = picture.convert("RGB").crop((0, 0, picture.width, min(picture.height, LONGEST)))
                top.quantize(COLOURS).save(IMAGES / f"{name}.{language}.png", optimize=True)


if __name__ == "__main__":
    main()
