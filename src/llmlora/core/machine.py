"""What this machine has, asked without any library: memory that a process can still get, room on a disk, cores."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

from llmlora.core.publish import existing_parent

CGROUP = Path("/sys/fs/cgroup")
MEMORY_INFO = Path("/proc/meminfo")
CORE_TIMES = Path("/proc/stat")
WATCH_SECONDS = 1.0
LOOK_SECONDS = 0.2  # of cores at work; a load average tells of the last minute, not of now
# Left free on a disk for the system and everybody else: this much, or a fiftieth of a small disk.
RESERVE_BYTES = 512 << 20
RESERVE_SHARE = 50
# Below this size threads mostly wait for each other (nano: 1,043 tokens/s with one thread, 1,005 with two).
SMALL_MODEL = 20_000_000  # parameters


def available_memory_bytes(memory_info: Path = MEMORY_INFO, cgroup: Path = CGROUP) -> int:
    """Return the memory that can be used without swapping, within the container's limit.

    Where the system does not say (macOS), half of all memory is assumed.
    """
    available = _available(memory_info)
    limit = container_limit(cgroup)
    if limit is not None:
        available = min(available, max(0, limit[0] - limit[1] + reclaimable_bytes(cgroup)))
    return available


def total_memory_bytes(cgroup: Path = CGROUP) -> int:
    """Return all memory of this machine, within the container's limit."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = container_limit(cgroup)
    return min(total, limit[0]) if limit is not None else total


def _available(memory_info: Path) -> int:
    try:
        lines = memory_info.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def container_limit(folder: Path = CGROUP) -> tuple[int, int] | None:
    """Return limit and use in bytes of this process's container (cgroup v2), or None without a limit."""
    try:
        limit = (folder / "memory.max").read_text(encoding="utf-8").strip()
        used = (folder / "memory.current").read_text(encoding="utf-8").strip()
        return (int(limit), int(used)) if limit != "max" else None
    except (OSError, ValueError):
        return None


def reclaimable_bytes(folder: Path = CGROUP) -> int:
    """Return the bytes of a container's use that are only cached files, which the system gives back when asked."""
    try:
        lines = (folder / "memory.stat").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))
    except (OSError, ValueError, IndexError, StopIteration):
        return 0


def disk_room(path: Path) -> tuple[int, int]:
    """Return the free bytes of the disk that holds `path` (which need not exist yet), and how many of them to leave."""
    disk = shutil.disk_usage(existing_parent(path))
    return disk.free, min(RESERVE_BYTES, disk.total // RESERVE_SHARE)


def threads_asked_for() -> int | None:
    """Return the threads that the user wants (`OMP_NUM_THREADS`), None when nothing usable is said."""
    wanted = os.environ.get("OMP_NUM_THREADS", "")
    return int(wanted) if wanted.isdecimal() and int(wanted) > 0 else None


def usable_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def settled_threads(num_parameters: int) -> int | None:
    """Return the threads to train a model of a size with where nothing has to be measured for that, else None.

    The user's number counts; without one a small model takes one thread, and others as many as are found to pay.
    """
    return threads_asked_for() or (1 if num_parameters < SMALL_MODEL else None)


def threads_for_now() -> int:
    """Return the threads to compute with from now on: those the user wants, else one for each core that is free.

    Threads wait for each other: on cores that others use as well, two are slower than one.
    """
    return threads_asked_for() or idle_cores()


def idle_cores(core_times: Path = CORE_TIMES, seconds: float = LOOK_SECONDS) -> int:
    """Return how many usable cores nobody computes on just now, at least one; all where the system does not say."""
    if usable_cores() == 1:
        return 1
    before = _idle_and_total(core_times)
    time.sleep(seconds)
    after = _idle_and_total(core_times)
    shares = [
        (after[core][0] - before[core][0]) / (after[core][1] - before[core][1])
        for core in before.keys() & after.keys()
        if after[core][1] > before[core][1]
    ]
    return max(1, round(sum(shares))) if shares else usable_cores()


class CoreWatch:
    """Tells at any moment how many cores others leave to this process, from what happened in the last two seconds.

    A thread looks once a second, so that nobody has to wait for a look.
    """

    def __init__(self, core_times: Path = CORE_TIMES) -> None:
        self._core_times = core_times
        self._looks = [self._look()] * 2
        threading.Thread(target=self._watch, name="llmlora-cores", daemon=True).start()

    def free_cores(self) -> int:
        """Return how many usable cores nobody else computes on, at least one; all where the system does not say."""
        seconds, others = (now - before for now, before in zip(self._look(), self._looks[0], strict=True))
        busy = others / seconds if seconds >= LOOK_SECONDS else 0.0
        return max(1, min(usable_cores(), round(usable_cores() - busy)))

    def _look(self) -> tuple[float, float]:
        """Return the time, and the seconds for which other processes have computed so far."""
        ticks = sum(total - idle for idle, total in _idle_and_total(self._core_times).values())
        return time.monotonic(), ticks / os.sysconf("SC_CLK_TCK") - time.process_time()

    def _watch(self) -> None:
        while True:
            time.sleep(WATCH_SECONDS)
            self._looks = [self._looks[1], self._look()]


def _idle_and_total(core_times: Path) -> dict[int, tuple[int, int]]:
    """Return idle and all ticks so far of each core that this process may use."""
    usable = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else ()
    found = {}
    try:
        for line in core_times.read_text(encoding="ascii").splitlines():
            name, *ticks = line.split()
            if name.removeprefix("cpu").isdecimal() and int(name[3:]) in usable:
                idle, waiting = int(ticks[3]), int(ticks[4])
                found[int(name[3:])] = (idle + waiting, sum(map(int, ticks[:8])))
    except (OSError, ValueError, IndexError):
        return {}
    return found
