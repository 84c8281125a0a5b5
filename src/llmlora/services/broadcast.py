"""Events to any number of watchers: one bounded memory of the newest, and for each watcher only its place in it.

A watcher never holds up a publisher. Who falls out of the memory is read from the source; who falls behind even that
gets one `resync` and goes on with what is new. Ids rise by one sequence, so nothing is missed and nothing comes twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

REMEMBERED = 1000  # newest events kept in memory
BATCH = 500  # events read from the source at a time
FARTHEST = 20_000  # events behind the newest after which a watcher looks again instead of reading them all
RESYNC = "resync"


@dataclass(frozen=True)
class StreamEvent:
    """One event as a watcher gets it: `id` is `<epoch>-<number>`."""

    number: int
    type: str
    data: dict[str, Any]


class EventSource(Protocol):
    """Where events are kept; numbers rise and are never used again within one `epoch`."""

    @property
    def epoch(self) -> str:
        """Return the name of this sequence of numbers."""

    def newest(self) -> int:
        """Return the number of the newest event, 0 without one."""

    def after(self, number: int, limit: int) -> Sequence[StreamEvent]:
        """Return up to `limit` events behind a number, in order."""


class Broadcaster:
    """Hands events of one source to every watcher; `publish` may be called from any thread."""

    def __init__(self, source: EventSource) -> None:
        self.source = source
        self.num_watchers = 0
        self._newest_events: deque[StreamEvent] = deque(maxlen=REMEMBERED)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._something_new = asyncio.Event()
        self._is_closed = False

    def open(self) -> None:
        """Begin to hand out; called in the loop of the server."""
        self._loop = asyncio.get_running_loop()

    def publish(self, event: StreamEvent) -> None:
        """Hand out an event that its source has already kept; before `open` nobody watches."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._remember, event)

    def close(self) -> None:
        """End every stream."""
        self._is_closed = True
        self._wake()

    def _remember(self, event: StreamEvent) -> None:
        if self._newest_events and event.number != self._newest_events[-1].number + 1:
            self._newest_events.clear()  # a gap: what fills it is read from the source
        self._newest_events.append(event)
        self._wake()

    def _wake(self) -> None:
        self._something_new.set()
        self._something_new = asyncio.Event()

    async def here(self) -> str:
        """Return the id of the newest event: behind it lies everything from now on."""
        return self._id(await asyncio.to_thread(self.source.newest))

    async def watch(self, last_id: str | None = None) -> AsyncIterator[tuple[str, StreamEvent]]:
        """Yield (id, event) for everything behind `last_id`; without one for everything from now on."""
        self.num_watchers += 1
        try:
            place, event = await self._begin(last_id)
            if event is not None:
                yield self._id(place), event
            while not self._is_closed:
                awaited = self._something_new
                events = await self._behind(place)
                for event in events:
                    place = event.number
                    yield self._id(place), event
                if not events:
                    await awaited.wait()
        finally:
            self.num_watchers -= 1

    def _id(self, number: int) -> str:
        return f"{self.source.epoch}-{number}"

    async def _begin(self, last_id: str | None) -> tuple[int, StreamEvent | None]:
        """Return where a watcher begins, and the resync of one whose last id says nothing here."""
        newest = await asyncio.to_thread(self.source.newest)
        if last_id is None:
            return newest, None
        epoch, _, number = last_id.rpartition("-")
        is_known = epoch == self.source.epoch and number.isascii() and number.isdigit() and len(number) < 19
        if is_known and int(number) <= newest:
            return int(number), None
        return newest, StreamEvent(newest, RESYNC, {})

    async def _behind(self, place: int) -> Sequence[StreamEvent]:
        """Return the next events behind a place: from memory where it reaches back that far, else from the source."""
        remembered = self._newest_events
        if remembered and remembered[0].number <= place + 1:
            return [event for event in remembered if event.number > place]
        newest = await asyncio.to_thread(self.source.newest)
        if newest - place > FARTHEST:
            return [StreamEvent(newest, RESYNC, {})]
        return await asyncio.to_thread(self.source.after, place, BATCH)
