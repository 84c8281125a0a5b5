"""Files that a user puts into `<workspace>/inbox/` become datasets while the server runs."""

from __future__ import annotations

import logging
import os
import stat
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from llmlora.core.errors import LlmloraError, ResourceError
from llmlora.core.layout import inbox_dir
from llmlora.core.publish import sha256_file
from llmlora.services.kept_datasets import NewDataset, keep_file
from llmlora.services.room import require_room
from llmlora.store import datasets, events
from llmlora.store.database import Database

log = logging.getLogger("llmlora.inbox")
LOOK_SECONDS: Final = 3.0
RETRY_SECONDS: Final = 60.0  # after the disk was full
DONE, FAILED = "done", "failed"
UNFINISHED: Final = (".part", ".tmp", ".crdownload", ".download", ".filepart", "~")


class Inbox:
    """Looks into the inbox again and again, in a thread of its own between `start` and `stop`."""

    def __init__(self, database: Database, seconds: float = LOOK_SECONDS) -> None:
        self._database = database
        self._seconds = seconds
        self._seen: dict[str, tuple[int, int]] = {}
        self._later: dict[str, float] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="llmlora-inbox", daemon=True)
        self.folder = inbox_dir(database.home)

    def start(self) -> None:
        """Begin to look."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; a file that is being read is left for the next server."""
        self._stopping.set()
        self._thread.join(timeout=self._seconds)

    def look(self) -> list[str]:
        """Take the files that have not changed since the last look, and return their names."""
        states = self._states()
        ready = [name for name, state in states.items() if self._seen.get(name) == state and self._may_try(name)]
        self._seen = states
        for name in ready:
            self._take(self.folder / name)
        return ready

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                self.look()
            except (LlmloraError, OSError):
                log.exception("the inbox could not be read")
            self._stopping.wait(self._seconds)

    def _states(self) -> dict[str, tuple[int, int]]:
        """Return size and time of change of each file; links, folders and unfinished downloads are passed over."""
        found = {}
        for path in sorted(self.folder.iterdir()):
            info = path.lstat()
            if stat.S_ISREG(info.st_mode) and not path.name.startswith(".") and not path.name.endswith(UNFINISHED):
                found[path.name] = (info.st_size, info.st_mtime_ns)
        return found

    def _may_try(self, name: str) -> bool:
        return time.monotonic() >= self._later.get(name, 0.0)

    def _take(self, path: Path) -> None:
        try:
            told = self._keep(path)
        except ResourceError as error:
            self._later[path.name] = time.monotonic() + RETRY_SECONDS
            self._tell("inbox_failed", {"file": path.name, "error": error.to_dict()})
            return
        except LlmloraError as error:
            self._tell("inbox_failed", {"file": path.name, "error": error.to_dict()})
            self._move(path, FAILED)
            return
        self._tell("dataset_made", {"file": path.name, **told})
        self._move(path, DONE)

    def _keep(self, path: Path) -> dict[str, Any]:
        """Make a dataset of a file; one that a server has made before it died is not made again."""
        require_room(self.folder, path.stat().st_size)
        name = "".join(letter for letter in path.stem if letter.isprintable())[:200] or "data"
        with self._database.read() as connection:
            if datasets.has_content(connection, sha256_file(path), name):
                return {"dataset_id": None}
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with open(descriptor, "rb") as stream:
            row = keep_file(self._database, NewDataset(name, file_name=path.name), stream)
        return {"dataset_id": row.id, "ok": row.is_ok}

    def _move(self, path: Path, folder: str) -> None:
        target = self.folder / folder / path.name
        target.parent.mkdir(exist_ok=True)
        number = 1
        while target.exists():
            number += 1
            target = target.with_name(f"{path.stem}-{number}{path.suffix}")
        path.rename(target)

    def _tell(self, event_type: str, data: Mapping[str, Any]) -> None:
        with self._database.write() as connection:
            events.add_queue_event(connection, self._database.dialect, None, 0, event_type, dict(data))
