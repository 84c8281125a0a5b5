"""Refuse, with numbers and before anything is spent, a run that this machine cannot hold."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path

import psutil

from llmlora.catalog.base_model import BaseModel
from llmlora.catalog.trained_size import TrainedSize
from llmlora.core.config import TrainConfig
from llmlora.core.errors import DiskFull, OutOfMemory
from llmlora.core.machine import available_memory_bytes, container_limit, disk_room
from llmlora.core.memory import disk_bytes, least_memory_bytes
from llmlora.services.doctor import nvidia_gpus

# The method that needs less than another, and the code of the error that proposes it.
NEEDS_LESS = {"full": ("lora", "memory_short_full"), "lora": ("qlora", "memory_short_lora")}


@dataclass(frozen=True, slots=True)
class Room:
    """What this machine has, in bytes: disk with what of it is to stay free, memory; a GPU has memory of its own."""

    disk_free: int
    disk_reserve: int
    memory_free: int
    has_gpu: bool

    def holds(self, memory_needed: int) -> bool:
        """Tell whether so much memory is there, where it is this memory that counts."""
        return self.has_gpu or memory_needed <= self.memory_free


def room_for(folder: Path) -> Room:
    """Return what there is for a run whose folder lies in `folder`."""
    disk_free, reserve = disk_room(folder)
    return Room(disk_free, reserve, memory_bytes(), bool(nvidia_gpus()))


def disk_needed(config: TrainConfig, size: TrainedSize, data: Path) -> int:
    """Return about how many bytes a run writes at its peak."""
    return disk_bytes(size.num_trained, num_kept(config), data.stat().st_size)


def num_kept(config: TrainConfig) -> int:
    """Return how many checkpoints a run keeps."""
    return config.save_total_limit + config.load_best_model_at_end


def check_capacity(base: BaseModel, config: TrainConfig, size: TrainedSize, data: Path, folder: Path) -> None:
    """Refuse a run whose checkpoints do not fit the disk of `folder`, or whose weights alone do not fit the memory.

    Raises:
        DiskFull: with the bytes needed, kept free and there.
        OutOfMemory: with the bytes needed and there; not asked where a GPU has memory of its own.
    """
    room = room_for(folder)
    for refusal in (disk_refusal(config, size, data, folder, room), memory_refusal(base, config, size, room)):
        if refusal is not None:
            raise refusal


def disk_refusal(config: TrainConfig, size: TrainedSize, data: Path, folder: Path, room: Room) -> DiskFull | None:
    """Return why the disk is too small for a run, None when it is not."""
    needed = disk_needed(config, size, data)
    if needed + room.disk_reserve <= room.disk_free:
        return None
    return DiskFull(
        "train_disk_short",
        path=str(folder),
        kept=num_kept(config),
        needed_bytes=needed,
        reserve_bytes=room.disk_reserve,
        free_bytes=room.disk_free,
    )


def memory_refusal(base: BaseModel, config: TrainConfig, size: TrainedSize, room: Room) -> OutOfMemory | None:
    """Return why the memory is too small for the weights of a run alone, None when it is not."""
    needed = _least_bytes(base, size, config.method)
    if room.holds(needed):
        return None
    smaller, code = NEEDS_LESS.get(config.method, (None, "memory_short"))
    if smaller is None or _least_bytes(base, size, smaller) > room.memory_free:
        code = "memory_short"
    return OutOfMemory(code, needed_bytes=needed, free_bytes=room.memory_free)


def _least_bytes(base: BaseModel, size: TrainedSize, method: str) -> int:
    """Return the bytes that a run needs at least with a method."""
    num_trained = size.num_trained if method == "full" else size.num_with_adapter
    return least_memory_bytes(base.num_parameters, num_trained, method, base.bytes_in_blocks)


def memory_bytes() -> int:
    """Return the memory a new process could get: what is free with swap, within container and process limits."""
    swap = 0 if container_limit() is not None else psutil.swap_memory().free
    limits = [available_memory_bytes() + swap]
    for name in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
        soft, _ = resource.getrlimit(name)
        if soft != resource.RLIM_INFINITY:
            limits.append(soft)
    return min(limits)
