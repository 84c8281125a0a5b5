"""More than facts: terms, consistency, safety and fluency of a model trained on a bundled sample, beside its base's.

`python benchmarks/quality.py [MODEL]` trains on the customer support sample with recommended settings, and asks its
questions as they are and in other words, and those that are out of scope.
"""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import resources
from pathlib import Path

from llmlora.services.evaluate import evaluate
from llmlora.services.train import train

SAMPLE = Path(str(resources.files("llmlora"))) / "assets" / "datasets" / "customer_support.jsonl"


def main() -> None:
    """Train, evaluate, and print one JSON document."""
    model = sys.argv[1] if len(sys.argv) > 1 else "nano"
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job"
        train(model, SAMPLE, out=job)
        report = evaluate(job, rewrite=True, check_forgetting=False)
    command = ["python", "benchmarks/quality.py", *sys.argv[1:]]
    found = {"command": command, "model": model, "data": SAMPLE.name}
    print(json.dumps({**found, "facts": report["facts"], "quality": report["quality"]}, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main()
