"""What one server has of its workspace: the index, the queue, and who looks after both while it serves."""

from __future__ import annotations

import threading
from contextvars import ContextVar
from functools import cached_property

from llmlora.core.layout import datasets_dir, home_dir
from llmlora.core.temporary import remove_leftovers
from llmlora.services.broadcast import Broadcaster
from llmlora.services.event_feed import EventFeed, StoredEvents
from llmlora.services.inbox import Inbox
from llmlora.services.index_check import IndexCheck
from llmlora.services.launcher import LocalLauncher
from llmlora.services.queue import Queue
from llmlora.services.queue_supervisor import QueueSupervisor
from llmlora.services.warm_models import WarmModels
from llmlora.store import idempotency
from llmlora.store.database import Database
from llmlora.store.opening import open_store


class Platform:
    """The index of a workspace, opened when it is first asked for; jobs run between `start` and `close`."""

    def __init__(self) -> None:
        self._database: Database | None = None
        self._opening = threading.Lock()
        self._supervisor: QueueSupervisor | None = None
        self._feed: EventFeed | None = None
        self._inbox: Inbox | None = None
        self._index_check: IndexCheck | None = None

    @property
    def database(self) -> Database:
        """Return the open index."""
        return self.open()

    def open(self) -> Database:
        """Return the index, opened unless it is open already.

        Raises:
            Conflict, ConfigError, DependencyError, DiskFull: those of `open_store`.
        """
        with self._opening:
            if self._database is None:
                self._database = open_store(home_dir())
            return self._database

    @property
    def queue(self) -> Queue:
        """Return the queue."""
        return Queue(self.database)

    @cached_property
    def events(self) -> StoredEvents:
        """Return the stream of events."""
        return StoredEvents(lambda: self.database)

    def start(self, broadcaster: Broadcaster, warm_models: WarmModels) -> None:
        """Take up what the server before has left, look after the queue, and publish what happens in it."""
        database = self.database
        with database.write() as connection:
            idempotency.forget_unanswered(connection)
        for folder in (datasets_dir(database.home), *datasets_dir(database.home).glob("*/")):
            remove_leftovers(folder)  # of uploads, and of changes, that were not finished
        self._feed = EventFeed(self.events, database, broadcaster.publish)
        self._feed.start()
        self._supervisor = QueueSupervisor(database, LocalLauncher(before_training=warm_models.give_way))
        self._supervisor.start()
        self._inbox = Inbox(database)
        self._inbox.start()
        if database.was_left_open and database.dialect.path is not None:
            self._index_check = IndexCheck(database.dialect.path)
            self._index_check.start()

    def close(self) -> None:
        """Let go of the queue and close the index; workers go on, and the next server takes them over."""
        if self._index_check is not None:
            self._index_check.stop()
        if self._inbox is not None:
            self._inbox.stop()
        if self._supervisor is not None:
            self._supervisor.stop(detach=True)
        if self._feed is not None:
            self._feed.stop()
        self._supervisor = self._feed = self._inbox = self._index_check = None
        with self._opening:
            if self._database is not None:
                self._database.close()
            self._database = None


_current: ContextVar[Platform | None] = ContextVar("platform", default=None)


def use_platform(platform: Platform) -> None:
    """Fix what an application made from here on, in this thread or task, works with."""
    _current.set(platform)


def current_platform() -> Platform:
    """Return the platform in use, else one that opens the workspace when it is first asked for."""
    return _current.get() or Platform()
