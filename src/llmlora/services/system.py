"""This machine in numbers: what it has, how much of it is used, what is installed."""

from __future__ import annotations

import platform
import shutil
import time
from functools import lru_cache
from threading import Lock
from typing import Any

import psutil

from llmlora import __version__
from llmlora.core.layout import home_dir
from llmlora.core.machine import available_memory_bytes, container_limit, usable_cores
from llmlora.core.publish import existing_parent
from llmlora.services.doctor import gpu_of, nvidia_gpus
from llmlora.services.packages import TRAIN_PACKAGES, package_version
from llmlora.services.queue import Queue

GPU_SECONDS = 60  # the driver's tool takes a moment, and cards do not come and go


def system_info(queue: Queue) -> dict[str, Any]:
    """Return `cpu`, `memory`, `gpus`, `disk`, `versions` and `tasks`; sizes in bytes."""
    return {
        "cpu": _cpu(),
        "memory": _memory(),
        "gpus": [gpu_of(line) for line in _gpu_lines(int(time.monotonic() // GPU_SECONDS))],
        "disk": _disk(),
        "versions": _versions(),
        "tasks": queue.num_tasks(),
    }


class CpuUse:
    """How much of all cores is used, in percent: the mean since the last look, which is at least a second ago.

    Looks that follow each other at once, as those of two pages do, would measure the looking.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._percent: float | None = None
        self._taken = 0.0

    def percent(self) -> float:
        """Return the share; the first look takes a tenth of a second."""
        with self._lock:
            if self._percent is None or time.monotonic() - self._taken >= 1:
                self._percent = psutil.cpu_percent(0.1 if self._percent is None else None)
                self._taken = time.monotonic()
            return self._percent


_CPU_USE = CpuUse()


def _cpu() -> dict[str, Any]:
    threads = usable_cores()
    return {"cores": psutil.cpu_count(logical=False) or threads, "threads": threads, "percent": _CPU_USE.percent()}


def _memory() -> dict[str, Any]:
    limit = container_limit()
    total = psutil.virtual_memory().total
    total = min(total, limit[0]) if limit is not None else total
    available = min(available_memory_bytes(), total)
    return {
        "total_bytes": total,
        "available_bytes": available,
        "percent": round(100 * (total - available) / total, 1),
    }


@lru_cache(maxsize=1)
def _gpu_lines(_minute: int) -> tuple[str, ...]:
    return tuple(nvidia_gpus())


def _disk() -> dict[str, Any]:
    disk = shutil.disk_usage(existing_parent(home_dir()))
    return {"path": str(home_dir()), "total_bytes": disk.total, "free_bytes": disk.free}


@lru_cache(maxsize=1)
def _versions() -> dict[str, str | None]:
    packages = {name: package_version(name) for name in TRAIN_PACKAGES}
    return {"llmlora": __version__, "python": platform.python_version(), **packages}
