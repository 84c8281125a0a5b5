"""A clock that never jumps: seconds since this machine was started, and which start that was.

Deadlines are kept on it, not on the wall clock, which a user, daylight saving or a time server can move. It also counts
while the machine sleeps. A deadline of an earlier start of the machine has always passed.
"""

from __future__ import annotations

import subprocess
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Moment:
    """A point on the clock of one start of the machine; `seconds` since then."""

    boot_id: str
    seconds: float

    def after(self, seconds: float) -> Moment:
        """Return the moment that comes some seconds later."""
        return Moment(self.boot_id, self.seconds + seconds)

    def has_passed(self, now: Moment) -> bool:
        """Tell whether this moment has come; one of an earlier start of the machine has."""
        return self.boot_id != now.boot_id or self.seconds <= now.seconds


def now() -> Moment:
    """Return this moment."""
    return Moment(boot_id(), boot_seconds())


def boot_seconds() -> float:
    """Return the seconds since the machine was started, sleep included where the system counts it."""
    for name in ("CLOCK_BOOTTIME", "CLOCK_MONOTONIC_RAW"):
        if hasattr(time, name):
            return time.clock_gettime(getattr(time, name))
    return time.monotonic()


@cache
def boot_id() -> str:
    """Return what names this start of the machine."""
    try:
        return BOOT_ID_FILE.read_text(encoding="ascii").strip()
    except OSError:
        return _session_of_macos() or "unknown"


def _session_of_macos() -> str:
    try:
        asked = subprocess.run(
            ["sysctl", "-n", "kern.bootsessionuuid"], capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return asked.stdout.strip()
