"""What a user can do with the queue: put work into it, see it, and change its mind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from llmlora.core.boot_clock import now
from llmlora.core.errors import ConfigError, Conflict, NotFound
from llmlora.core.layout import CONFIG_FILE, new_id, work_root
from llmlora.core.publish import create_json, read_json
from llmlora.services.job_rows import copy_rows
from llmlora.services.queue_progress import progress_document
from llmlora.store import events, jobs, metrics, runs
from llmlora.store.changes import tell_change, tell_status
from llmlora.store.database import Database
from llmlora.store.events import EventRow
from llmlora.store.jobs import KINDS, DatasetUse, JobRow, NewJob
from llmlora.store.metrics import Bucket, Epoch
from llmlora.store.rebuild import UNDO_SECONDS
from llmlora.store.records import absolute_folder, stored_folder
from llmlora.store.runs import RunRow
from llmlora.store.statuses import ACTIVE, WAITING
from llmlora.store.tables import METRICS
from llmlora.store.times import utc_now

CLOSEST: Final = 1e-9  # positions that are nearer than this are numbered anew


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, and what `before` is for those that follow; None behind the last."""

    items: list[JobRow]
    next_cursor: str | None


class Queue:
    """The queue of one workspace. It has no state of its own: any thread or process may have one."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def submit(
        self,
        kind: str,
        folder: Path,
        *,
        name: str,
        datasets: Sequence[DatasetUse] = (),
        parent_id: str | None = None,
        job_id: str | None = None,
    ) -> JobRow:
        """Put work into the queue whose folder is written already; a crash in between loses nothing.

        Raises:
            ConfigError: `job_kind`. NotFound: `job_folder_gone`; `job_not_found` when the job it is about was deleted.
            Conflict: `job_exists`.
        """
        new = self.new_job(kind, folder, name=name, datasets=datasets, parent_id=parent_id, job_id=job_id)
        return self.submit_all([new])[0]

    def new_job(
        self,
        kind: str,
        folder: Path,
        *,
        name: str,
        datasets: Sequence[DatasetUse] = (),
        parent_id: str | None = None,
        job_id: str | None = None,
    ) -> NewJob:
        """Return a job that `submit_all` takes, its folder checked; raises ConfigError and NotFound as `submit`."""
        if kind not in KINDS:
            raise ConfigError("job_kind", kind=kind, kinds=", ".join(KINDS))
        if not (folder / CONFIG_FILE).is_file():
            raise NotFound("job_folder_gone", path=str(folder))
        stored = stored_folder(self.database.home, folder)
        return NewJob(job_id or new_id(), kind, name, stored, parent_id=parent_id, datasets=tuple(datasets))

    def submit_all(self, made: Sequence[NewJob]) -> list[JobRow]:
        """Put several jobs into the queue at once, in this order, or none; raise Conflict as `submit`."""
        with self.database.write() as connection:
            return [self._add(connection, new) for new in made]

    def _add(self, connection: Any, new: NewJob) -> JobRow:
        if new.parent_id is not None:
            self._known(jobs.lock(connection, new.parent_id), new.parent_id)
        if not jobs.insert(connection, self.database.dialect, new):
            known = jobs.find(connection, new.id)
            if known is None or known.folder != new.folder:  # else its folder was found before its row was there
                raise Conflict("job_exists", id=new.id)
        return tell_status(self.database, connection, new.id, "submit")

    def get(self, job_id: str) -> JobRow:
        """Return a job; raise NotFound when there is none, or it was deleted."""
        with self.database.read() as connection:
            return jobs.get(connection, job_id)

    def get_of_kind(self, job_id: str, kind: str) -> JobRow:
        """Return a job of a kind; raise NotFound when there is none, or it was deleted."""
        job = self.get(job_id)
        if job.kind != kind:
            raise NotFound("job_not_found", id=job_id)
        return job

    def page(
        self,
        *,
        kinds: Sequence[str] = (),
        statuses: Sequence[str] = (),
        parent_id: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Page:
        """Return jobs, the newest first; `before` is the `next_cursor` of the page before."""
        with self.database.read() as connection:
            asked = {"kinds": kinds, "statuses": statuses, "parent_id": parent_id, "before": before}
            items = jobs.page(connection, limit=limit + 1, **asked)  # type: ignore[arg-type]
        has_more = len(items) > limit
        return Page(items[:limit], items[limit - 1].id if has_more else None)

    def pause(self, job_id: str) -> JobRow:
        """Keep a job from starting, or let its worker save and go; raise Conflict when it has ended or is paused."""
        return self._stop(job_id, "pause", "user")

    def cancel(self, job_id: str) -> JobRow:
        """End a job for good, keeping what it has saved; raise Conflict when it has ended."""
        return self._stop(job_id, "cancel", None)

    def _stop(self, job_id: str, action: str, reason: str | None) -> JobRow:
        """Change the status of a job that nobody works on; ask whoever works on it to stop."""
        with self.database.write() as connection:
            self._known(jobs.lock(connection, job_id), job_id)
            ended_at = utc_now() if action == "cancel" else None
            if jobs.change_status(connection, job_id, action, reason=reason, stop_request=None, ended_at=ended_at):
                return tell_status(self.database, connection, job_id, action)
            if jobs.ask_to_stop(connection, job_id, action):
                return tell_change(self.database, connection, job_id, "stop_request")
            raise self._wrong_status(jobs.get(connection, job_id), action)

    def resume(self, job_id: str) -> JobRow:
        """Let a paused job go on from its newest checkpoint when its turn comes; raise Conflict for any other."""
        return self._requeue(job_id, "resume")

    def retry(self, job_id: str) -> JobRow:
        """Let a failed or canceled job go on from its newest checkpoint; raise Conflict for any other."""
        return self._requeue(job_id, "retry", error=None, ended_at=None)

    def _requeue(self, job_id: str, action: str, **values: Any) -> JobRow:
        fresh: dict[str, Any] = {
            "num_retries": 0,
            "retry_at": None,
            "retry_boot": None,
            "stop_request": None,
            "origin": "queue",
        }
        with self.database.write() as connection:
            self._known(jobs.lock(connection, job_id), job_id)
            if jobs.change_status(connection, job_id, action, **fresh, **values):
                return tell_status(self.database, connection, job_id, action)
            raise self._wrong_status(jobs.get(connection, job_id), action)

    def rename(self, job_id: str, name: str) -> JobRow:
        """Give a job another name."""
        return self._change(job_id, "name", lambda connection: jobs.set_values(connection, job_id, name=name))

    def reorder(self, job_id: str, *, before: str | None) -> JobRow:
        """Move a waiting job in front of another one, or behind all; raise Conflict when one of them does not wait."""
        with self.database.write() as connection:
            waiting = jobs.with_status(connection, WAITING)
            for identifier in (job_id, before):
                if identifier is not None and identifier not in {job.id for job in waiting}:
                    raise self._wrong_status(jobs.get(connection, identifier), "reorder")
            others = [job for job in waiting if job.id != job_id]
            at = next((index for index, job in enumerate(others) if job.id == before), len(others))
            low = others[at - 1].position if at else 0.0
            high = others[at].position if at < len(others) else low + 2
            jobs.set_values(connection, job_id, position=(low + high) / 2)
            if high - low < CLOSEST:
                order = [*others[:at], jobs.get(connection, job_id), *others[at:]]
                for number, job in enumerate(order):
                    jobs.set_values(connection, job.id, position=float(number + 1))
                    tell_change(self.database, connection, job.id, "position")
            return tell_change(self.database, connection, job_id, "position")

    def delete(self, job_id: str) -> JobRow:
        """Hide a job; after 10 s its folder goes, too. Raise Conflict while somebody works on it, or needs it."""
        with self.database.write() as connection:
            self._known(jobs.lock(connection, job_id), job_id)
            users = jobs.of_parent(connection, job_id, (*WAITING, *ACTIVE))
            if users:
                raise Conflict("job_in_use", id=job_id, users=", ".join(users), first=users[0])
            if not jobs.mark_deleted(connection, job_id, now().after(UNDO_SECONDS)):
                raise self._wrong_status(jobs.get(connection, job_id), "delete")
            return tell_change(self.database, connection, job_id, "deleted_at")

    def undo_delete(self, job_id: str) -> JobRow:
        """Have a deleted job back; raise NotFound when it is too late."""
        with self.database.write() as connection:
            if jobs.undo_delete(connection, job_id):
                return tell_change(self.database, connection, job_id, "deleted_at")
            return jobs.get(connection, job_id)  # never deleted, or NotFound

    def clone(self, job_id: str, *, name: str | None = None) -> JobRow:
        """Put the same work into the queue once more, in a folder of its own."""
        job = self.get(job_id)
        new = new_id()
        folder = work_root(self.database.home, job.kind) / new
        try:
            config = read_json(self.folder_of(job) / CONFIG_FILE)
        except (OSError, ValueError) as error:
            raise NotFound("job_folder_gone", path=str(self.folder_of(job))) from error
        folder.mkdir(parents=True)
        copy_rows(self.folder_of(job), folder)
        create_json(folder / CONFIG_FILE, {**config, "id": new} if "id" in config else config)
        kept = {"datasets": job.datasets, "parent_id": job.parent_id}
        return self.submit(job.kind, folder, name=name or job.name, job_id=new, **kept)  # type: ignore[arg-type]

    def runs(self, job_id: str) -> list[RunRow]:
        """Return the attempts of a job, the first one first."""
        with self.database.read() as connection:
            jobs.get(connection, job_id)
            return runs.of_job(connection, job_id)

    def progress(self, job_id: str) -> dict[str, Any]:
        """Return how far a job is; what is not known is None."""
        job = self.get(job_id)
        return progress_document(job, self.folder_of(job))

    def curves(
        self,
        job_id: str,
        names: Sequence[str],
        num_buckets: int = 500,
        first_step: int = 1,
        last_step: int = metrics.MOST_STEPS,
    ) -> dict[str, list[Bucket]]:
        """Return the curves of some metrics in at most `num_buckets` pieces each that keep every spike.

        Raises:
            ConfigError: `unknown_metric`.
        """
        unknown = next((name for name in names if name not in METRICS), None)
        if unknown is not None:
            raise ConfigError("unknown_metric", name=unknown, names=", ".join(METRICS))
        with self.database.read() as connection:
            jobs.get(connection, job_id)
            return metrics.curves(connection, job_id, names, num_buckets, first_step, last_step)

    def epochs(self, job_id: str, steps_per_epoch: int) -> list[Epoch]:
        """Return the newest 1,000 epochs of a job, ascending."""
        with self.database.read() as connection:
            return metrics.epochs(connection, job_id, steps_per_epoch)

    def events_after(
        self, last_id: int, *, job_id: str | None = None, types: Sequence[str] = (), limit: int = 500
    ) -> list[EventRow]:
        """Return the events of the stream behind one, the oldest first."""
        with self.database.read() as connection:
            return events.after(connection, last_id, job_id=job_id, types=types, limit=limit)

    def event_bounds(self) -> tuple[int, int]:
        """Return the ids of the oldest and the newest event of the stream, zeros when there is none."""
        with self.database.read() as connection:
            return events.bounds(connection)

    def num_ahead(self, job_id: str) -> int:
        """Return how many jobs are worked on or wait in front of a queued one; 0 for any other."""
        with self.database.read() as connection:
            line = [job.id for job in jobs.with_status(connection, ("queued",))]
            return line.index(job_id) + jobs.count(connection, ACTIVE) if job_id in line else 0

    def num_tasks(self) -> dict[str, int]:
        """Return how many jobs are worked on (`running`), and how many wait for their turn (`queued`)."""
        with self.database.read() as connection:
            return {
                "running": jobs.count(connection, ACTIVE),
                "queued": jobs.count(connection, ("queued", "interrupted")),
            }

    def folder_of(self, job: JobRow) -> Path:
        """Return the folder of a job."""
        return absolute_folder(self.database.home, job.folder)

    def _change(self, job_id: str, field: str, change: Callable[[Any], object]) -> JobRow:
        with self.database.write() as connection:
            self._known(jobs.lock(connection, job_id), job_id)
            change(connection)
            return tell_change(self.database, connection, job_id, field)

    @staticmethod
    def _known(job: JobRow | None, job_id: str) -> None:
        if job is None or job.deleted_at is not None:
            raise NotFound("job_not_found", id=job_id)

    @staticmethod
    def _wrong_status(job: JobRow, action: str) -> Conflict:
        return Conflict("job_wrong_status", id=job.id, status=job.status, action=action)
