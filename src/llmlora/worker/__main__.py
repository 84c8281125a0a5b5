"""`python -m llmlora.worker KIND FOLDER [RUN]`: one heavy piece of work in a process of its own."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from llmlora.core.errors import Conflict
from llmlora.worker.frame import KINDS, run_kind


def main(arguments: list[str]) -> int:
    """Run one kind of work; exit 2 on a wrong call, 3 when another worker holds the folder."""
    run = arguments[2:]
    if len(arguments) not in (2, 3) or arguments[0] not in KINDS or not all(number.isdigit() for number in run):
        sys.stderr.write(f"usage: python -m llmlora.worker {{{'|'.join(KINDS)}}} FOLDER [RUN]\n")
        return 2
    try:
        return run_kind(arguments[0], Path(arguments[1]), *map(int, run))
    except Conflict as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # all is said: a late signal takes the exit code from nobody


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
