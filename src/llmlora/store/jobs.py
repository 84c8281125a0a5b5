"""Jobs: every piece of work, of every kind, in one queue."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, Row, func, or_, select, update

from llmlora.core.boot_clock import Moment
from llmlora.core.errors import NotFound
from llmlora.store.deletion import hide, is_due, show
from llmlora.store.dialects import Dialect
from llmlora.store.statuses import ACTIVE, TRANSITIONS
from llmlora.store.tables import job_datasets, jobs
from llmlora.store.times import utc_now

Kind = Literal["train", "evaluate", "export", "merge", "verify", "download", "register"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
MOST_ROWS: Final = 500  # of one page


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """A dataset that a job reads; `share` says how much of its rows, None all."""

    dataset_id: str
    role: str = "train"  # or "eval"
    share: float | None = None


@dataclass(frozen=True, slots=True)
class NewJob:
    """A job that is put into the queue; its folder is written already."""

    id: str
    kind: str
    name: str
    folder: str  # relative to the workspace where it lies in it
    status: str = "queued"
    reason: str | None = None
    origin: str = "queue"  # "command": made by a command of its own, whose stop the queue does not undo
    parent_id: str | None = None
    datasets: tuple[DatasetUse, ...] = ()
    created_at: str = ""
    position: float | None = None


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as the index has it."""

    id: str
    kind: str
    name: str
    folder: str
    origin: str
    status: str
    reason: str | None  # why it is paused, failed or waiting: a code
    error: dict[str, Any] | None  # of a failed job: error, code, params
    result: dict[str, Any] | None  # of a succeeded one
    progress: dict[str, Any]  # step, total_steps, the newest metrics, phase
    position: float
    run: int  # the newest attempt, 0 before the first; also the fencing token
    stop_request: str | None
    num_retries: int  # without progress in between
    retry: Moment | None
    parent_id: str | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    deleted_at: str | None
    purge: Moment | None = None
    datasets: tuple[DatasetUse, ...] = field(default=())

    @property
    def is_active(self) -> bool:
        """Tell whether somebody works on it."""
        return self.status in ACTIVE


def insert(connection: Connection, dialect: Dialect, job: NewJob) -> bool:
    """Add a job behind all others; False when there is one of that id."""
    last = connection.execute(select(func.coalesce(func.max(jobs.c.position), 0.0))).scalar_one()
    added = connection.execute(
        dialect.insert(jobs).on_conflict_do_nothing().execution_options(preserve_rowcount=True),
        {
            "id": job.id,
            "kind": job.kind,
            "name": job.name,
            "folder": job.folder,
            "origin": job.origin,
            "status": job.status,
            "reason": job.reason,
            "progress": {},
            "position": last + 1 if job.position is None else job.position,
            "run": 0,
            "num_retries": 0,
            "parent_id": job.parent_id,
            "created_at": job.created_at or utc_now(),
        },
    )
    if added.rowcount != 1:
        return False
    if job.datasets:
        uses = [
            {"job_id": job.id, "dataset_id": use.dataset_id, "role": use.role, "share": use.share}
            for use in job.datasets
        ]
        dialect.add(connection, dialect.insert(job_datasets), uses)
    return True


def find(connection: Connection, job_id: str) -> JobRow | None:
    """Return a job, deleted or not; None when there is none."""
    rows = _rows(connection, connection.execute(select(jobs).where(jobs.c.id == job_id)).all())
    return rows[0] if rows else None


def get(connection: Connection, job_id: str) -> JobRow:
    """Return a job that is not deleted.

    Raises:
        NotFound: `job_not_found`.
    """
    found = find(connection, job_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("job_not_found", id=job_id)
    return found


def page(
    connection: Connection,
    *,
    kinds: Sequence[str] = (),
    statuses: Sequence[str] = (),
    parent_id: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> list[JobRow]:
    """Return jobs that are not deleted, the newest first; `before` is the id of the last one seen."""
    query = select(jobs).where(jobs.c.deleted_at.is_(None)).order_by(jobs.c.id.desc()).limit(min(limit, MOST_ROWS))
    if kinds:
        query = query.where(jobs.c.kind.in_(kinds))
    if statuses:
        query = query.where(jobs.c.status.in_(statuses))
    if parent_id is not None:
        query = query.where(jobs.c.parent_id == parent_id)
    if before is not None:
        query = query.where(jobs.c.id < before)
    return _rows(connection, connection.execute(query).all())


def with_status(connection: Connection, statuses: Sequence[str]) -> list[JobRow]:
    """Return the jobs of some statuses that are not deleted, in the order of the queue."""
    query = select(jobs).where(jobs.c.status.in_(statuses), jobs.c.deleted_at.is_(None))
    return _rows(connection, connection.execute(query.order_by(jobs.c.position, jobs.c.id)).all())


def all_ids(connection: Connection) -> set[str]:
    """Return the ids of all jobs, deleted ones too."""
    return set(connection.execute(select(jobs.c.id)).scalars())


def count(connection: Connection, statuses: Sequence[str]) -> int:
    """Return how many jobs of some statuses there are that are not deleted."""
    query = select(func.count()).where(jobs.c.status.in_(statuses), jobs.c.deleted_at.is_(None))
    return connection.execute(query).scalar_one()


@dataclass(frozen=True, slots=True)
class RunPlace:
    """Where a job lies, and the newest run that the index knows of."""

    folder: str
    run: int


def run_places(connection: Connection, statuses: Sequence[str]) -> dict[str, RunPlace]:
    """Return folder and newest run of each job of some statuses that is not deleted, by its id."""
    query = select(jobs.c.id, jobs.c.folder, jobs.c.run).where(jobs.c.status.in_(statuses), jobs.c.deleted_at.is_(None))
    return {row.id: RunPlace(row.folder, row.run) for row in connection.execute(query)}


def names(connection: Connection, *, deleted: bool = False) -> dict[str, str]:
    """Return the name of every job by its id, the newest first: of those that are not deleted, or of those that are."""
    which = jobs.c.deleted_at.is_not(None) if deleted else jobs.c.deleted_at.is_(None)
    query = select(jobs.c.id, jobs.c.name).where(which).order_by(jobs.c.id.desc())
    return {row.id: row.name for row in connection.execute(query)}


def folders(connection: Connection, statuses: Sequence[str]) -> dict[str, str]:
    """Return the folder of each job of some statuses that is not deleted, by its id."""
    query = select(jobs.c.id, jobs.c.folder).where(jobs.c.status.in_(statuses), jobs.c.deleted_at.is_(None))
    return {row.id: row.folder for row in connection.execute(query)}


def change_status(
    connection: Connection,
    job_id: str,
    transition: str,
    *,
    run: int | None = None,
    reason: str | None = None,
    **values: Any,
) -> bool:
    """Change a status if the job still has one that the transition starts from; False when somebody was quicker.

    A run's transition also asks that `run` is still the job's run: what an older one says is ignored.
    """
    way = TRANSITIONS[transition]
    query = update(jobs).where(jobs.c.id == job_id, jobs.c.status.in_(way.sources))
    if transition != "adopt":
        query = query.where(jobs.c.deleted_at.is_(None))
    if way.is_fenced:
        query = query.where(jobs.c.run == run)
    return connection.execute(query.values(status=way.target, reason=reason, **values)).rowcount == 1


def claim_next(connection: Connection) -> JobRow | None:
    """Take the first job of the queue: nobody else gets it. None when there is none.

    It is `preparing` afterwards; its run is set by the caller, in the same transaction. PostgreSQL passes over rows
    that another transaction has locked; SQLite has no other writer.
    """
    query = select(jobs.c.id).where(jobs.c.status == "queued", jobs.c.deleted_at.is_(None))
    first = query.order_by(jobs.c.position, jobs.c.id).limit(1).with_for_update(skip_locked=True)
    job_id = connection.execute(first).scalar()
    if job_id is None or not change_status(connection, job_id, "claim", stop_request=None):
        return None
    return get(connection, job_id)


def lock(connection: Connection, job_id: str) -> JobRow | None:
    """Return a job that nobody else changes before the end of this transaction; None when there is none."""
    connection.execute(select(jobs.c.id).where(jobs.c.id == job_id).with_for_update())
    return find(connection, job_id)


def due_to_retry(connection: Connection, now: Moment) -> list[str]:
    """Return the interrupted jobs whose time to wait is over, in the order of the queue."""
    is_over = or_(jobs.c.retry_at.is_(None), jobs.c.retry_boot != now.boot_id, jobs.c.retry_at <= now.seconds)
    query = select(jobs.c.id).where(jobs.c.status == "interrupted", jobs.c.deleted_at.is_(None), is_over)
    return list(connection.execute(query.order_by(jobs.c.position, jobs.c.id)).scalars())


def ask_to_stop(connection: Connection, job_id: str, request: str, reason: str | None = None) -> bool:
    """Leave a wish for whoever supervises an active job; a wish to cancel is not taken back by one to pause."""
    query = update(jobs).where(jobs.c.id == job_id, jobs.c.status.in_(ACTIVE))
    if request != "cancel":
        query = query.where(or_(jobs.c.stop_request.is_(None), jobs.c.stop_request != "cancel"))
    return connection.execute(query.values(stop_request=request, reason=reason)).rowcount == 1


def set_values(connection: Connection, job_id: str, **values: Any) -> bool:
    """Change columns that are no status."""
    assert "status" not in values
    return connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values)).rowcount == 1


def set_progress(connection: Connection, job_id: str, run: int, progress: dict[str, Any]) -> bool:
    """Change what is known of how far a job is; what an older run says is ignored."""
    query = update(jobs).where(jobs.c.id == job_id, jobs.c.run == run)
    return connection.execute(query.values(progress=progress)).rowcount == 1


def mark_deleted(connection: Connection, job_id: str, purge: Moment) -> bool:
    """Hide a job until it is purged; False when it is worked on, gone or hidden already."""
    return hide(connection, jobs, job_id, purge, jobs.c.status.not_in(ACTIVE))


def undo_delete(connection: Connection, job_id: str) -> bool:
    """Show a hidden job again; False when it is purged or not hidden."""
    return show(connection, jobs, job_id)


def due_to_purge(connection: Connection, now: Moment) -> list[JobRow]:
    """Return the hidden jobs whose time to undo is over."""
    return _rows(connection, connection.execute(select(jobs).where(is_due(jobs, now))).all())


def remove(connection: Connection, job_id: str) -> None:
    """Forget a job with its runs, events and metrics."""
    connection.execute(jobs.delete().where(jobs.c.id == job_id))


def using_dataset(connection: Connection, dataset_id: str, statuses: Iterable[str]) -> list[str]:
    """Return the ids of jobs of some statuses that read a dataset."""
    query = select(jobs.c.id).join(job_datasets, job_datasets.c.job_id == jobs.c.id)
    query = query.where(job_datasets.c.dataset_id == dataset_id, jobs.c.status.in_(list(statuses)))
    return list(connection.execute(query.where(jobs.c.deleted_at.is_(None)).order_by(jobs.c.id)).scalars())


def of_parent(connection: Connection, parent_id: str, statuses: Iterable[str]) -> list[str]:
    """Return the ids of jobs of some statuses that work with what another job has made."""
    query = select(jobs.c.id).where(jobs.c.parent_id == parent_id, jobs.c.status.in_(list(statuses)))
    return list(connection.execute(query.where(jobs.c.deleted_at.is_(None)).order_by(jobs.c.id)).scalars())


def _rows(connection: Connection, found: Sequence[Row[Any]]) -> list[JobRow]:
    uses: dict[str, list[DatasetUse]] = {}
    for start in range(0, len(found), MOST_ROWS):
        ids = [row.id for row in found[start : start + MOST_ROWS]]
        for use in connection.execute(select(job_datasets).where(job_datasets.c.job_id.in_(ids))):
            uses.setdefault(use.job_id, []).append(DatasetUse(use.dataset_id, use.role, use.share))
    return [_row(row, tuple(uses.get(row.id, ()))) for row in found]


def _row(row: Row[Any], uses: tuple[DatasetUse, ...]) -> JobRow:
    values = dict(row._mapping)
    retry = _moment(values.pop("retry_boot"), values.pop("retry_at"))
    purge = _moment(values.pop("purge_boot"), values.pop("purge_at"))
    return JobRow(**values, retry=retry, purge=purge, datasets=uses)


def _moment(boot_id: str | None, seconds: float | None) -> Moment | None:
    return None if boot_id is None or seconds is None else Moment(boot_id, seconds)
