"""`python -m pretrain`: corpus, tokenizer, rows, training; then `python -m pretrain.export`."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tokenizers import Tokenizer

from pretrain import rows, tokenizer
from pretrain.train import WORK

CORPUS_BYTES = 30_000_000
HELD_OUT_BYTES = 600_000
TRAINING_SEED = 11
HELD_OUT_SEED = 999_983
TOTAL_STEPS = 2476  # one epoch
DECAY_STEPS = 900
DRILL_EVERY = 3


def prepare(work: Path, size: int) -> None:
    """Write tokenizer and packed rows, and the plan when there is none yet."""
    folder = work / "tokenizer"
    found = Tokenizer.from_file(str(folder / "tokenizer.json")) if folder.exists() else tokenizer.train(folder)
    print(tokenizer.report(found))
    print("training rows", rows.pack(found, work, TRAINING_SEED, size))
    print("held-out rows", rows.pack(found, work / "held-out", HELD_OUT_SEED, HELD_OUT_BYTES))
    plan = work / "plan.json"
    if not plan.exists():
        plan.write_text(
            json.dumps({"total_steps": TOTAL_STEPS, "decay_steps": DECAY_STEPS, "drill_every": DRILL_EVERY}),
            encoding="utf-8",
        )


def main() -> None:
    """Do all steps, or stop after the rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=CORPUS_BYTES, help="bytes of training text")
    parser.add_argument("--only-prepare", action="store_true")
    arguments = parser.parse_args()
    prepare(WORK, arguments.size)
    if not arguments.only_prepare:
        subprocess.run([sys.executable, "-m", "pretrain.train"], check=True)
        subprocess.run([sys.executable, "-m", "pretrain.export"], check=True)


if __name__ == "__main__":
    main()
