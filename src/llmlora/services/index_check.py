"""Looks at all of an index that was not closed, beside the running server; the next start makes a damaged one anew."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from llmlora.store.damage import WholeCheck, put_in_doubt

log = logging.getLogger("llmlora.index")


class IndexCheck:
    """One look, in a thread of its own between `start` and `stop`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._check = WholeCheck(path)
        self._thread = threading.Thread(target=self._work, name="llmlora-index", daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def join(self) -> None:
        """Wait for the end of the look."""
        self._thread.join()

    def stop(self) -> None:
        """End the look, finished or not."""
        self._check.stop()
        self._thread.join()

    def _work(self) -> None:
        try:
            if self._check.finds_damage():
                put_in_doubt(self._path)
                log.error("%s is damaged; the next start makes it again from the folders", self._path)
        except sqlite3.Error:
            log.warning("the index could not be looked at", exc_info=True)
