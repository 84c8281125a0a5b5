"""Look after the queue from a command until it is empty, as a server does."""

from __future__ import annotations

import logging.config
import time
from collections.abc import Callable

from llmlora.core.errors import Stopped
from llmlora.services.follow import OnEvent
from llmlora.services.follow_job import follow_run
from llmlora.services.launcher import LocalLauncher
from llmlora.services.queue import Queue
from llmlora.services.queue_supervisor import QueueSupervisor
from llmlora.services.server_log import log_config
from llmlora.services.workspace_lock import workspace_lock
from llmlora.store import jobs
from llmlora.store.jobs import JobRow
from llmlora.store.statuses import ACTIVE, ENDED

LOOK_SECONDS = 0.2


def work_queue(queue: Queue, on_job: Callable[[JobRow], None], on_event: OnEvent) -> int:
    """Work until nothing waits any more, and return how many jobs have ended; `on_job` gets each at its start and end.

    Ctrl-C lets the workers save and go; their jobs go on with whoever looks after the queue next.

    Raises:
        Conflict: `server_running`, `queue_worked_on`. Stopped: `queue_left`.
    """
    with workspace_lock() as lock:
        logging.config.dictConfig(log_config(None))
        lock.tell(None, queue.database.dialect.place)
        supervisor = QueueSupervisor(queue.database, LocalLauncher())
        supervisor.start()
        try:
            return _work(queue, on_job, on_event)
        except KeyboardInterrupt as stop:
            raise Stopped("queue_left", has_checkpoint=True) from stop
        finally:
            supervisor.stop(detach=False)


def _work(queue: Queue, on_job: Callable[[JobRow], None], on_event: OnEvent) -> int:
    num_ended = 0
    while any(queue.num_tasks().values()):
        with queue.database.read() as connection:
            active = jobs.with_status(connection, ACTIVE)
        if active:
            num_ended += _follow(queue, active[0], on_job, on_event).status in ENDED
        time.sleep(LOOK_SECONDS)
    return num_ended


def _follow(queue: Queue, job: JobRow, on_job: Callable[[JobRow], None], on_event: OnEvent) -> JobRow:
    """Follow a run until the supervisor has settled it, and return the job as it is then."""
    on_job(job)
    for event in follow_run(queue, job):
        on_event(event)
    settled = queue.get(job.id)
    on_job(settled)
    return settled
