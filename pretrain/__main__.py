"""`python -m pretrain`: tokenizer, rows and training; then `python -m pretrain.export`. Run it again to go on."""

from __future__ import annotations

import argparse
from pathlib import Path

from tokenizers import Tokenizer

from llmlora.core.errors import Stopped
from llmlora.core.publish import publishing_dir
from pretrain import tokenizer
from pretrain.train import SETTINGS, WORK, train


def main() -> None:
    """Do all steps that are not done yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--work", type=Path, default=WORK, help="folder of rows, checkpoints and result; it may be removed"
    )
    work = parser.parse_args().work.absolute()
    folder = work / "tokenizer"
    if not folder.is_dir():
        with publishing_dir(folder) as temporary:
            tokenizer.train(temporary)
    print(tokenizer.report(Tokenizer.from_file(str(folder / "tokenizer.json"))), flush=True)
    try:
        print("trained:", train(work, SETTINGS))
    except Stopped:
        raise SystemExit("Stopped. The same command goes on from the newest checkpoint.") from None


if __name__ == "__main__":
    main()
