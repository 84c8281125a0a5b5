"""More than facts: terms, consistency, safety and fluency of a model trained on a bundled sample, beside its base's.

`python benchmarks/quality.py [MODEL] [--data NAME] [--glossary FILE]` trains on a bundled data set (the customer
support sample) with recommended settings, and asks its questions as they are and in other words, and those that are out
of scope.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from importlib import resources
from pathlib import Path

from llmlora.services.evaluate import evaluate, read_glossary
from llmlora.services.train import train

ASSETS = Path(str(resources.files("llmlora"))) / "assets"


def main() -> None:
    """Train, evaluate, and print one JSON document."""
    parser = argparse.ArgumentParser()
    parser.add_argument("model", nargs="?", default="nano")
    parser.add_argument("--data", default="customer_support.jsonl")
    parser.add_argument("--glossary", type=Path, default=None)
    asked = parser.parse_args()
    data = ASSETS / "datasets" / asked.data
    questions = ASSETS / "questions" / f"{data.stem}.jsonl"
    glossary = [] if asked.glossary is None else read_glossary(asked.glossary)
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job"
        train(asked.model, data, out=job)
        own = questions if questions.is_file() else None
        report = evaluate(job, own, rewrite=True, check_forgetting=False, glossary=glossary)
    command = ["python", "benchmarks/quality.py", *sys.argv[1:]]
    found = {"command": command, "model": asked.model, "data": data.name}
    print(json.dumps({**found, "facts": report["facts"], "quality": report["quality"]}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
