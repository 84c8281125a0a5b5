"""Processes that cannot be mistaken for later ones with the same number."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from llmlora.core.boot_clock import boot_id

SAME_START_SECONDS = 1.0  # what a start time may differ by where the system derives it from the wall clock
OOM_SCORE = 500
START_FIELD, STATE_FIELD = 19, 0  # of /proc/<pid>/stat, behind the name in parentheses


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its number, when it was started (seconds since the machine was), and in which start of the machine."""

    pid: int
    started: float
    boot_id: str

    @classmethod
    def of(cls, pid: int) -> Process | None:
        """Return the living process of a number, None when there is none."""
        started = _start_of_living(pid)
        return None if started is None else cls(pid, started, boot_id())

    def is_alive(self) -> bool:
        """Tell whether exactly this process lives; one that has ended and waits to be reaped does not."""
        if self.boot_id != boot_id():
            return False
        started = _start_of_living(self.pid)
        return started is not None and abs(started - self.started) < SAME_START_SECONDS


def end_first(pid: int) -> None:
    """Let the system end a worker before the server when memory runs out."""
    with suppress(OSError):  # not Linux, or it has ended already
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(OOM_SCORE))


def _start_of_living(pid: int) -> float | None:
    """Return when a living process was started; Linux counts from the machine's start, which no clock change moves."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None if Path("/proc/self/stat").exists() else _start_elsewhere(pid)
    return None if fields[STATE_FIELD] in "ZX" else int(fields[START_FIELD]) / os.sysconf("SC_CLK_TCK")


def _start_elsewhere(pid: int) -> float | None:
    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None
