"""Hard limits of a process that reads what strangers wrote: memory, file sizes, processor time and a deadline."""

from __future__ import annotations

import faulthandler
import resource
import time
from contextlib import suppress
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What a process may use at most: address space, size of a file it writes, seconds of the clock."""

    memory_bytes: int
    file_bytes: int
    seconds: float


def limit_process(limits: Limits) -> None:
    """Set limits for the rest of this process."""
    limit_time(limits.seconds)
    _limit(resource.RLIMIT_FSIZE, limits.file_bytes)
    with suppress(ValueError, OSError):  # macOS has no limit of that kind
        _limit(resource.RLIMIT_AS, limits.memory_bytes)


def limit_time(seconds: float) -> None:
    """Give this process so many seconds from now on.

    At the deadline the process ends with a stack in its log, whatever code runs then: a thread of the interpreter's own
    watches over it, which no lock and no loop holds up. The processor's limit is for what would hold up even that.
    """
    faulthandler.dump_traceback_later(seconds, exit=True)
    _limit(resource.RLIMIT_CPU, int(time.process_time() + seconds) + 5)


def _limit(kind: int, value: int) -> None:
    _, hard = resource.getrlimit(kind)
    allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (allowed, hard))
