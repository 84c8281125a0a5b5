"""Files from strangers are measured before they are opened."""

from __future__ import annotations

import errno
import stat
from pathlib import Path


def regular_size(path: Path) -> int:
    """Return a file's bytes; raises OSError for pipes, devices and folders, which would hang or have no end."""
    state = path.stat()
    if not stat.S_ISREG(state.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return state.st_size
