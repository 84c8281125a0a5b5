"""Was tuning needed on a small shop's questions? The four rungs on a model, with their facts, as a result to keep.

`python benchmarks/ladder.py [MODEL]` trains on `benchmarks/data/shop_ja.jsonl` with recommended settings and asks all
four rungs its questions, which were reworded by hand.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from llmlora.services.evaluate import ladder
from llmlora.services.train import train

DATA = Path(__file__).parent / "data"
KEPT = ("name", "facts", "as_trained", "other_words", "prompt_tokens_per_answer", "seconds_per_answer")


def main() -> None:
    """Train, ask, and print one JSON document."""
    model = sys.argv[1] if len(sys.argv) > 1 else "nano"
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job"
        train(model, DATA / "shop_ja.jsonl", out=job)
        found = ladder(job, DATA / "shop_ja_questions.jsonl")["ladder"]
    rungs = [{name: rung[name] for name in KEPT} for rung in found["rungs"]]
    command = ["python", "benchmarks/ladder.py", *sys.argv[1:]]
    print(json.dumps({"command": command, "model": model, "verdict": found["verdict"], "rungs": rungs}, indent=1))


if __name__ == "__main__":
    main()
