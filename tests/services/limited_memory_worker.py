"""The real training worker with a limit of its address space: `limited_memory_worker.py FOLDER RUN BYTES`.

BYTES are those that it may map beyond its libraries, 0 for any number; what it took at its peak stands in `peak` then.
"""

import re
import resource
import sys
from pathlib import Path

from llmlora.worker import train as _  # noqa: F401 - its libraries are there before the limit counts
from llmlora.worker.frame import run_kind


def mapped(name):
    """Return the address space of this process, now (VmSize) or at its peak (VmPeak), in bytes."""
    return 1024 * int(re.search(rf"{name}:\s+(\d+)", Path("/proc/self/status").read_text())[1])


if __name__ == "__main__":
    folder, run, budget = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    begun_with = mapped("VmSize")
    if budget:
        resource.setrlimit(resource.RLIMIT_AS, (begun_with + budget, begun_with + budget))
    code = run_kind("train", folder, run)
    if not budget:
        (folder / "peak").write_text(str(mapped("VmPeak") - begun_with))
    sys.exit(code)
