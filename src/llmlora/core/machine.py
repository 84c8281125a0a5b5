"""What this machine has, asked without any library: memory that a process can still get."""

from __future__ import annotations

import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
MEMORY_INFO = Path("/proc/meminfo")


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
