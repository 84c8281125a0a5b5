"""The real training worker on a machine with little memory: `small_memory_worker.py FOLDER RUN`.

From the third step on a micro-batch of more than `MOST_ROWS` rows does not fit.
"""

import sys
from pathlib import Path

from llmlora.engine import loop
from llmlora.worker.frame import run_kind

MOST_ROWS = 2
whole_batches, calls = loop.micro_batches, []


def small_batches(rows, indices, size, packing):
    calls.append(size)
    if len(calls) > 2 and size > MOST_ROWS:
        raise MemoryError("planted")
    return whole_batches(rows, indices, size, packing)


if __name__ == "__main__":
    loop.micro_batches = small_batches
    sys.exit(run_kind("train", Path(sys.argv[1]), int(sys.argv[2])))
