"""Refuse, with numbers and before anything is spent, a run that this machine cannot hold."""

from __future__ import annotations

import resource
from pathlib import Path

import psutil

from llmlora.catalog.base_model import BaseModel
from llmlora.catalog.trained_size import TrainedSize
from llmlora.core.config import TrainConfig
from llmlora.core.errors import DiskFull, OutOfMemory
from llmlora.core.machine import available_memory_bytes, container_limit, disk_room
from llmlora.core.memory import disk_bytes, least_memory_bytes
from llmlora.services.doctor import nvidia_gpus


def check_capacity(base: BaseModel, config: TrainConfig, size: TrainedSize, data: Path, folder: Path) -> None:
    """Refuse a run whose checkpoints do not fit the disk of `folder`, or whose weights alone do not fit the memory.

    Raises:
        DiskFull: with the bytes needed, kept free and there.
        OutOfMemory: with the bytes needed and there; not asked where a GPU has memory of its own.
    """
    num_kept = config.save_total_limit + config.load_best_model_at_end
    needed = disk_bytes(size.num_trained, num_kept, data.stat().st_size)
    free, reserve = disk_room(folder)
    if needed + reserve > free:
        raise DiskFull(
            "train_disk_short",
            path=str(folder),
            kept=num_kept,
            needed_bytes=needed,
            reserve_bytes=reserve,
            free_bytes=free,
        )
    least, memory = least_memory_bytes(base.num_parameters, size.num_trained, config.method), memory_bytes()
    if least > memory and not nvidia_gpus():
        has_smaller = config.method == "full" and _adapter_bytes(base, size) <= memory
        code = "memory_short_full" if has_smaller else "memory_short"
        raise OutOfMemory(code, needed_bytes=least, free_bytes=memory)


def _adapter_bytes(base: BaseModel, size: TrainedSize) -> int:
    """Return the bytes that the same run needs at least with an adapter."""
    return least_memory_bytes(base.num_parameters, size.num_with_adapter, "lora")


def memory_bytes() -> int:
    """Return the memory a new process could get: what is free with swap, within container and process limits."""
    swap = 0 if container_limit() is not None else psutil.swap_memory().free
    limits = [available_memory_bytes() + swap]
    for name in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(name)
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    return min(limits)
