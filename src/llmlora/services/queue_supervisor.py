"""Looks after the queue: starts what may start, follows what runs, says what follows when it has ended.

It can be killed at any moment. Workers go on without it, and the next one takes them over by the locks that they hold.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from llmlora.core.boot_clock import Moment, now
from llmlora.core.errors import DiskFull, LlmloraError, WorkerDied
from llmlora.core.publish import free_bytes, is_disk_full
from llmlora.services.ballast import Ballast
from llmlora.services.launcher import Handle, Launcher, Resources
from llmlora.services.ollama_activity import OllamaActivity
from llmlora.services.processes import Process
from llmlora.services.queue_purge import purge, trim
from llmlora.services.queue_rules import RunEnd, Situation, max_running, what_pauses, what_prevents_start
from llmlora.services.queue_runs import (
    active_runs,
    adopt,
    adopt_ended,
    begin,
    claim,
    end_run,
    new_owner,
    reclaim,
    requeue_due,
    settle,
    tell_process,
)
from llmlora.services.stall import Pace
from llmlora.store import events, jobs, runs, settings
from llmlora.store.database import Database
from llmlora.store.jobs import JobRow
from llmlora.store.rebuild import index_folders
from llmlora.store.records import absolute_folder
from llmlora.store.statuses import ACTIVE, STATUSES
from llmlora.store.tail import tail

log = logging.getLogger("llmlora.queue")


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds between looks, and how long things may take."""

    tick: float = 0.2
    idle: float = 1.0  # while nothing runs and nobody changes anything
    heartbeat: float = 5.0
    lease: float = 30.0
    stop_grace: float = 30.0  # from the request to save and go until the worker is ended
    stall: float = 1800.0  # without a step
    trim: float = 300.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the queue sees of the world around it: the local time, and whether Ollama answers somebody."""

    now: Callable[[], datetime] = datetime.now
    is_ollama_answering: Callable[[], bool] = field(default_factory=lambda: OllamaActivity().is_answering)


@dataclass
class Watched:
    """A run that this supervisor looks after."""

    job_id: str
    run: int
    handle: Handle
    pace: Pace
    has_begun: bool = False
    asked_at: float | None = None  # to stop, on the monotonic clock
    reason: str | None = None  # why the supervisor has ended it
    key: tuple[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.key = (self.job_id, self.run)


def has_begun(kind: str, event: dict[str, Any]) -> bool:
    """Tell by an event whether the work proper has begun; a training job prepares until its first step."""
    return event["type"] in (("step", "evaluation", "checkpoint") if kind == "train" else ("phase", "step"))


def _typed(error: LlmloraError | OSError, folder: Path) -> LlmloraError:
    if isinstance(error, LlmloraError):
        return error
    if is_disk_full(error):
        return DiskFull("disk_full", path=str(folder), free_bytes=free_bytes(folder))
    return WorkerDied("internal", detail=str(error))


class QueueSupervisor:
    """The one who looks after the queue of a workspace, in a thread of its own between `start` and `stop`."""

    def __init__(
        self,
        database: Database,
        launcher: Launcher,
        timing: Timing | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self.database = database
        self.surroundings = surroundings or Surroundings()
        self.launcher = launcher
        self.timing = timing or Timing()
        self.owner = new_owner(Process.of(os.getpid()))
        self._watched: dict[tuple[str, int], Watched] = {}
        self._ballast = Ballast(database.home)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._pause_reason: str | None = None
        self._failure: str | None = None  # of the last look
        self._next_heartbeat = 0.0
        self._next_trim = 0.0

    def start(self) -> None:
        """Take over what runs, then whatever was left behind, and go on in a thread."""
        self.recover()
        self._thread = threading.Thread(target=self._work, name="llmlora-queue", daemon=True)
        self._thread.start()

    def stop(self, *, detach: bool = True) -> None:
        """End the thread. Workers go on, and the next supervisor takes them over; without `detach` they save and go."""
        self._stopping.set()
        self.database.wake()
        if self._thread is not None:
            self._thread.join()
        if not detach:
            self._stop_workers()
        with self.database.write() as connection:
            runs.release(connection, self.owner)

    def recover(self) -> None:
        """Find new folders, take over every worker that holds a lock, and settle what nobody works on."""
        index_folders(self.database)
        self._adopt_held(STATUSES, by_force=True)
        self._settle_lost()

    def look(self) -> None:
        """Bring the index up to date with the folders and pass on what users want of workers; nothing is started."""
        index_folders(self.database)
        self._adopt_held(STATUSES)
        self._settle_ended()
        for watched in list(self._watched.values()):
            self._look_at(watched)
        self._settle_lost()
        purge(self.database)

    def tick(self) -> None:
        """Look once: follow, stop, settle, renew, start."""
        self._pause_reason = what_pauses(self._situation()) if self._watched else None
        for watched in list(self._watched.values()):
            self._look_at(watched)
        self._settle_lost()
        if time.monotonic() >= self._next_heartbeat:
            self._next_heartbeat = time.monotonic() + self.timing.heartbeat
            self._heartbeat()
        requeue_due(self.database)
        self._start_what_may()

    def _work(self) -> None:
        seen = self.database.num_writes
        while not self._stopping.is_set():
            try:
                self.tick()
                self._failure = None
            except DiskFull as error:
                self._log_failure(error)
                self._ballast.release()
            except Exception as error:  # what fails now is tried again; the other jobs are looked after all the same
                self._log_failure(error)
                self._stopping.wait(self.timing.tick)
            self.database.wait_for_write(seen, self.timing.tick if self._watched else self.timing.idle)
            seen = self.database.num_writes

    def _log_failure(self, error: Exception) -> None:
        """Log why a look failed, once for as long as looks fail so: several a second would fill log and terminal."""
        failure = error.code if isinstance(error, LlmloraError) else repr(error)
        if failure != self._failure:
            log.error("a look at the queue failed: %s", failure, exc_info=error)
        self._failure = failure

    def _lease(self) -> Moment:
        return now().after(self.timing.lease)

    def _watch(self, job_id: str, run: int, handle: Handle) -> None:
        watched = Watched(job_id, run, handle, Pace(self.timing.stall))
        self._watched[watched.key] = watched

    def _adopt_held(self, statuses: tuple[str, ...], *, by_force: bool = False) -> None:
        with self.database.read() as connection:
            folders = jobs.folders(connection, statuses)
        watched = {job_id for job_id, _ in self._watched}
        for job_id, folder in folders.items():
            if job_id not in watched and self.launcher.adopt(absolute_folder(self.database.home, folder)) is not None:
                with self.database.read() as connection:
                    job = jobs.get(connection, job_id)
                self._adopt(job, by_force=by_force)

    def _adopt(self, job: JobRow, *, by_force: bool = False) -> bool:
        """Take over whoever works in a job's folder; True when somebody does, even if it cannot be taken over yet."""
        handle = self.launcher.adopt(self._folder(job))
        if handle is None:
            return False
        run = adopt(self.database, self.owner, self._lease(), job, by_force=by_force)
        if run is not None:
            log.info("job %s: run %d goes on", job.id, run)
            self._watch(job.id, run, handle)
        return True

    def _settle_lost(self) -> None:
        """Settle every active job that nobody works on or looks after."""
        for job, _ in active_runs(self.database):
            if (job.id, job.run) in self._watched or self._adopt(job):
                continue
            if reclaim(self.database, self.owner, self._lease(), job):
                self._settle(job.id, job.run, None, None)

    def _settle_ended(self) -> None:
        """Settle the runs that commands have begun and ended while nobody looked."""
        idle = tuple(status for status in STATUSES if status not in ACTIVE)
        with self.database.read() as connection:
            places = jobs.run_places(connection, idle)
        for job_id, place in places.items():
            run = adopt_ended(self.database, self.owner, self._lease(), job_id, place)
            if run is not None:
                self._settle(job_id, run, None, None)

    def _look_at(self, watched: Watched) -> None:
        is_alive = watched.handle.is_alive()
        found = tail(self.database, watched.job_id, watched.run)
        watched.pace.see(found)
        with self.database.read() as connection:
            job, row = jobs.find(connection, watched.job_id), runs.find(connection, watched.job_id, watched.run)
        # Looked up after the pace: who slept, and lost the run to another one meanwhile, ends nobody's worker.
        if job is None or job.run != watched.run or row is None or row.owner != self.owner:
            self._watched.pop(watched.key, None)
            return
        if not watched.has_begun and any(has_begun(job.kind, event) for event in found):
            watched.has_begun = True
            begin(self.database, job)
        if not is_alive:
            del self._watched[watched.key]
            self._settle(job.id, watched.run, watched.handle.exit_code(), watched.reason)
        elif job.stop_request is not None:
            self._stop(watched)
        elif self._pause_reason is not None and job.origin == "queue":
            watched.reason = self._pause_reason
            self._stop(watched)
        else:
            self._end_if_stalled(watched)

    def _stop(self, watched: Watched) -> None:
        if watched.asked_at is None:
            watched.asked_at = time.monotonic()
            watched.handle.stop()
        elif time.monotonic() > watched.asked_at + self.timing.stop_grace:
            watched.handle.kill()

    def _end_if_stalled(self, watched: Watched) -> None:
        seconds = watched.pace.new_stall()
        if seconds is not None:
            log.warning("job %s: no step for %.0f s", watched.job_id, seconds)
            with self.database.write() as connection:
                data = {"seconds": round(seconds, 1)}
                events.add_queue_event(connection, self.database.dialect, watched.job_id, watched.run, "stalled", data)
        if watched.pace.is_hopeless():
            watched.reason = "stalled"
            watched.handle.kill()

    def _settle(self, job_id: str, run: int, exit_code: int | None, reason: str | None) -> None:
        job = settle(self.database, self.owner, job_id, run, exit_code, reason)
        if job is not None:
            log.info("job %s: run %d has ended, %s %s", job_id, run, job.status, job.reason or "")

    def _heartbeat(self) -> None:
        """Renew what is ours, let go what is not any more, and see what others have done in the folders."""
        with self.database.write() as connection:
            own = runs.renew(connection, self.owner, self._lease())
        for key in [key for key in self._watched if key not in own]:
            del self._watched[key]
        self._ballast.fill()
        index_folders(self.database)
        self._adopt_held(tuple(status for status in STATUSES if status not in ACTIVE))
        self._settle_ended()
        purge(self.database)
        if time.monotonic() >= self._next_trim:
            self._next_trim = time.monotonic() + self.timing.trim
            trim(self.database)

    def _start_what_may(self) -> None:
        while self._may_start():
            claimed = claim(self.database, self.owner, self._lease())
            if claimed is None:
                return
            if claimed.run is not None:
                self._launch(claimed.job, claimed.folder, claimed.run)

    def _may_start(self) -> bool:
        with self.database.read() as connection:
            has_work = jobs.count(connection, ("queued",)) > 0
        return has_work and what_prevents_start(self._situation()) is None

    def _situation(self) -> Situation:
        with self.database.read() as connection:
            num_running, wishes = jobs.count(connection, ACTIVE), settings.get_all(connection)
        is_answering = bool(wishes.get("pause_while_ollama")) and self.surroundings.is_ollama_answering()
        clock = self.surroundings.now().time()
        return Situation(num_running, free_bytes(self.database.home), wishes, clock, is_answering)

    def _launch(self, job: JobRow, folder: Path, run: int) -> None:
        try:
            handle = self.launcher.launch(job.kind, folder, run, self._resources())
        except (LlmloraError, OSError) as error:
            log.warning("job %s cannot be started: %s", job.id, error)
            end_run(self.database, self.owner, job.id, run, RunEnd(error=_typed(error, folder)))
            return
        self._watch(job.id, run, handle)
        tell_process(self.database, job.id, run, handle.process)
        log.info("job %s: run %d started", job.id, run)

    def _resources(self) -> Resources:
        """Divide the processors among the jobs that may run at a time; a job alone takes what it likes."""
        with self.database.read() as connection:
            number = max_running(settings.get_all(connection))
        return Resources(None if number < 2 else max(1, (os.cpu_count() or 1) // number))

    def _stop_workers(self) -> None:
        """Ask the workers of the queue to save and go, and wait for them; those of commands are not ours."""
        with self.database.read() as connection:
            origins = {
                watched.job_id: jobs.get(connection, watched.job_id).origin for watched in self._watched.values()
            }
        deadline = time.monotonic() + self.timing.stop_grace
        waiting = [watched for watched in self._watched.values() if origins[watched.job_id] == "queue"]
        for watched in waiting:
            watched.handle.stop()
        while waiting and time.monotonic() < deadline:
            time.sleep(self.timing.tick)
            for watched in [watched for watched in waiting if not watched.handle.is_alive()]:
                waiting.remove(watched)
                self._look_at(watched)

    def _folder(self, job: JobRow) -> Path:
        return absolute_folder(self.database.home, job.folder)
