"""Whether the disk of the workspace has room for data that is about to come."""

from __future__ import annotations

from pathlib import Path

from llmlora.core.errors import DiskFull
from llmlora.core.publish import free_bytes
from llmlora.services.queue_rules import RESERVE_BYTES


def require_room(folder: Path, num_bytes: int) -> None:
    """Refuse data that would leave less than the reserve of the disk free.

    Raises:
        DiskFull: `no_room_for_data`.
    """
    free = free_bytes(folder)
    if free < num_bytes + RESERVE_BYTES:
        raise DiskFull("no_room_for_data", needed_bytes=num_bytes, reserve_bytes=RESERVE_BYTES, free_bytes=free)
