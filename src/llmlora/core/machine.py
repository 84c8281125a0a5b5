"""What this machine has, asked without any library: memory that a process can still get, room on a disk, cores."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from llmlora.core.publish import existing_parent

CGROUP = Path("/sys/fs/cgroup")
MEMORY_INFO = Path("/proc/meminfo")
# Left free on a disk for the system and everybody else: this much, or a fiftieth of a small disk.
RESERVE_BYTES = 512 << 20
RESERVE_SHARE = 50


def available_memory_bytes(memory_info: Path = MEMORY_INFO, cgroup: Path = CGROUP) -> int:
    """Return the memory that can be used without swapping, within the container's limit.

    Where the system does not say (macOS), half of all memory is assumed.
    """
    available = _available(memory_info)
    limit = container_limit(cgroup)
    if limit is not None:
        available = min(available, max(0, limit[0] - limit[1] + reclaimable_bytes(cgroup)))
    return available


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
