"""A file of the workspace that is given up when the disk is full, so that the database can still be written."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from llmlora.core.layout import BALLAST_FILE
from llmlora.core.publish import free_bytes

BALLAST_BYTES: Final = 16 << 20
ENOUGH_BYTES: Final = 256 << 20  # free, before the file is made again


class Ballast:
    """The file of one workspace."""

    def __init__(self, home: Path) -> None:
        self._path = home / BALLAST_FILE

    def fill(self) -> None:
        """Make the file where there is room enough."""
        if self._path.exists() or free_bytes(self._path) < ENOUGH_BYTES:
            return
        with suppress(OSError), self._path.open("wb") as stream:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(stream.fileno(), 0, BALLAST_BYTES)
            else:
                stream.write(bytes(BALLAST_BYTES))

    def release(self) -> bool:
        """Give its room back; False when it was given already."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
