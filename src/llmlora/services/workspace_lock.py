"""One server per workspace: `.lock` is held for life with `flock`, and names the server that holds it.

`llmlora jobs run` holds it as well: it looks after the queue as a server does, but has no address.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from llmlora.core.errors import Conflict
from llmlora.core.layout import SERVER_LOCK, home_dir
from llmlora.core.writable import require_workspace


class WorkspaceLock:
    """The held lock; what `tell` wrote is read by whoever finds the workspace taken."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def tell(self, url: str | None, database: str | None = None) -> None:
        """Write where the server answers, without its token, and where its index is, without a password."""
        text = json.dumps({"pid": os.getpid(), "url": url, "database": database}) + "\n"
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, text.encode("utf-8"), 0)


@contextmanager
def workspace_lock() -> Iterator[WorkspaceLock]:
    """Hold the workspace as its only server. Where a file system has no locks, nobody is held back.

    Raises:
        Conflict: `server_running`, with the address of the server that holds it; `queue_worked_on`, by a command.
        ResourceError: the workspace cannot be written.
    """
    require_workspace(home_dir())
    home_dir().mkdir(parents=True, exist_ok=True)
    descriptor = _opened(os.O_RDWR | os.O_CREAT)
    try:
        if not _is_locked(descriptor, fcntl.LOCK_EX):
            raise _taken(descriptor)
        os.ftruncate(descriptor, 0)
        yield WorkspaceLock(descriptor)
        os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def running_server() -> dict[str, Any] | None:
    """Return `{"pid", "url", "database"}` of who looks after this workspace, None when nobody does."""
    try:
        descriptor = _opened(os.O_RDWR)
    except OSError:
        return None
    try:
        return None if _is_locked(descriptor, fcntl.LOCK_SH) else _holder(descriptor)
    finally:
        os.close(descriptor)


def _opened(flags: int) -> int:
    return os.open(home_dir() / SERVER_LOCK, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def _is_locked(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # no locks here
        return True
    return True


def _taken(descriptor: int) -> Conflict:
    holder = _holder(descriptor)
    if holder["pid"] and holder["url"] is None:
        return Conflict("queue_worked_on", pid=holder["pid"], path=str(home_dir()))
    return Conflict("server_running", url=holder["url"] or "?", pid=holder["pid"] or "?", path=str(home_dir()))


def _holder(descriptor: int) -> dict[str, Any]:
    try:
        found = json.loads(os.pread(descriptor, 4096, 0))
        return {"pid": int(found["pid"]), "url": found["url"], "database": found["database"]}
    except (ValueError, KeyError, TypeError):
        return {"pid": None, "url": None, "database": None}  # it has the lock and is only starting
