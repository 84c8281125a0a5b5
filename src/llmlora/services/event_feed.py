"""The stream of the index as watchers get it: kept events by number, and new ones as soon as they are written."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Final

from llmlora.core.errors import LlmloraError
from llmlora.core.layout import new_id
from llmlora.services.broadcast import StreamEvent
from llmlora.services.queue import Queue
from llmlora.store import settings
from llmlora.store.database import Database
from llmlora.store.events import EventRow

log = logging.getLogger("llmlora.events")
EPOCH_SETTING: Final = "event_epoch"
IDLE_SECONDS: Final = 5.0  # between looks while nobody writes
RETRY_SECONDS: Final = 0.2
BATCH: Final = 500


class StoredEvents:
    """The events of the index; its epoch lives as long as the index, so a stream goes on over restarts."""

    def __init__(self, database: Callable[[], Database]) -> None:
        self._database = database

    @cached_property
    def epoch(self) -> str:
        """Return the name of this index, made once: in another one the numbers mean other events."""
        with self._database().write() as connection:
            known = settings.get_all(connection).get(EPOCH_SETTING)
            if known is None:
                known = new_id()
                settings.put(connection, self._database().dialect, EPOCH_SETTING, known)
            return str(known)

    def newest(self) -> int:
        """Return the number of the newest event, 0 without one."""
        return Queue(self._database()).event_bounds()[1]

    def after(self, number: int, limit: int) -> Sequence[StreamEvent]:
        """Return up to `limit` events behind a number, in order."""
        return [_stream_event(row) for row in Queue(self._database()).events_after(number, limit=limit)]


class EventFeed:
    """Publishes every event that is added from `start` on, in a thread of its own."""

    def __init__(self, source: StoredEvents, database: Database, publish: Callable[[StreamEvent], None]) -> None:
        self._source = source
        self._database = database
        self._publish = publish
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="llmlora-events", daemon=True)
        self._place = 0

    def start(self) -> None:
        """Begin behind the newest event."""
        self._place = self._source.newest()
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._database.wake()
        self._thread.join()

    def _work(self) -> None:
        seen = 0
        while not self._stopping.is_set():
            seen = self._database.wait_for_write(seen, IDLE_SECONDS)
            try:
                self._publish_new()
            except LlmloraError:  # busy or away for a moment: nothing is lost, it is read at the next look
                log.warning("the events could not be read", exc_info=True)
                self._stopping.wait(RETRY_SECONDS)

    def _publish_new(self) -> None:
        while found := self._source.after(self._place, BATCH):
            for event in found:
                self._publish(event)
            self._place = found[-1].number


def _stream_event(row: EventRow) -> StreamEvent:
    data = {**row.data, "job_id": row.job_id, "run": row.run, "seq": row.seq, "time": row.time}
    return StreamEvent(row.id, row.type, data)
