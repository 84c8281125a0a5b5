"""python tests/web/screenshots.py FOLDER [PATH...]: pictures of the pages of a real server with real jobs."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2] / "src")]

from served import serving  # noqa: E402
from web.browser import add_dataset, ask, run_script, train  # noqa: E402


def main() -> None:
    """Train one job to its end, leave one running and one waiting, and take the pictures."""
    folder, *paths = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as server:
        done = train(server, add_dataset(server, "レベル1 基本Q&A"), "基本Q&A", num_train_epochs=10)
        large = add_dataset(server, "実用技術知識Q&A", "level2_practical_knowledge.json")
        wish = {"base_model": "nano", "dataset_id": large, "settings": {"num_train_epochs": 400}}
        for name in ("実用技術知識モデル", "実用技術知識モデル_v2"):
            ask(server, "/api/training/jobs", {**wish, "name": name})
        finished = run_script("screenshots.mjs", server, folder, *(paths or ("all", f"/jobs/{done}")), timeout=600)
    sys.stdout.write(finished.stdout + finished.stderr)
    sys.exit(finished.returncode)


if __name__ == "__main__":
    main()
