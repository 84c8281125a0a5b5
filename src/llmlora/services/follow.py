"""Follow a run by its files, from any process and from any event on; stop whoever works in a folder."""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from llmlora.core.events import events_after
from llmlora.core.layout import EVENTS_FILE, LOCK_FILE, run_dir

Event = dict[str, Any]
OnEvent = Callable[[Event], None]
POLL_SECONDS = 0.02
START_SECONDS = 30.0  # a worker that was just started has no lock yet


def follow(folder: Path, run: int, after: int = 0, is_working: Callable[[], bool] | None = None) -> Iterator[Event]:
    """Yield the events of a run as they come; the last one is `run_ended`, or the work has ended without a word.

    Files are only read: any process can follow, a run that goes on or one that has ended. `after` is the `seq` of the
    last event already seen. `is_working` tells whether more can come; without it the folder's lock does.
    """
    directory, offset = run_dir(folder, run), 0
    while True:
        is_last = not (is_working() if is_working else is_worked_on(folder, run))
        for end, event in events_after(directory / EVENTS_FILE, offset):
            offset = end
            if event["seq"] > after:
                yield event
            if event["type"] == "run_ended":
                return
        if is_last:
            return
        time.sleep(POLL_SECONDS)


def is_worked_on(folder: Path, run: int) -> bool:
    """Tell whether somebody works in a folder, or was just started there and has not said so yet."""
    if lock_holder(folder) is not None:
        return True
    directory = run_dir(folder, run)
    has_begun = (directory / EVENTS_FILE).is_file()
    return not has_begun and directory.is_dir() and time.time() - directory.stat().st_mtime < START_SECONDS


def lock_holder(folder: Path) -> str | None:
    """Return the process that works in a folder right now ("?" when it has not said), or None when nobody does."""
    try:
        with (folder / LOCK_FILE).open("rb") as stream:  # a shared lock, so that readers do not stop each other
            fcntl.flock(stream.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (folder / LOCK_FILE).read_text(encoding="utf-8").strip() or "?"
    except OSError:
        return None
    return None


def stop_work(folder: Path) -> bool:
    """Ask whoever works in a folder to stop at its next safe point; False when nobody does (any more)."""
    holder = lock_holder(folder)
    if holder is None or not holder.isdigit():
        return False
    try:
        os.kill(int(holder), signal.SIGTERM)
    except ProcessLookupError:
        return False
    return True
