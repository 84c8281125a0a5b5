"""Metrics: the curve of every job, one row per optimizer step; of a step that two runs logged the higher run counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, func, or_, select

from llmlora.store.dialects import Dialect
from llmlora.store.tables import METRICS, metrics

MOST_STEPS: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some neighbouring steps of a curve: where they begin and end, and their lowest and highest value."""

    first_step: int
    last_step: int
    lowest: float
    highest: float
    mean: float


def add(connection: Connection, dialect: Dialect, job_id: str, run: int, found: Sequence[dict[str, Any]]) -> None:
    """Add what step and evaluation events of a run say; of a run older than what is there, nothing."""
    by_step: dict[int, dict[str, Any]] = {}
    for event in found:
        values = {name: value for name, value in (event.get("metrics") or {}).items() if name in METRICS}
        by_step.setdefault(int(event["step"]), {}).update(values)
    for names in {tuple(sorted(values)) for values in by_step.values()}:
        rows = [{"job_id": job_id, "run": run, "step": s, **v} for s, v in by_step.items() if tuple(sorted(v)) == names]
        insert = dialect.insert(metrics)
        changed = {name: insert.excluded[name] for name in ("run", *names)}
        upsert = insert.on_conflict_do_update(
            index_elements=["job_id", "step"], set_=changed, where=metrics.c.run <= insert.excluded.run
        )
        dialect.add(connection, upsert, rows)


def rows(connection: Connection, job_id: str, after_step: int = 0, limit: int = 10_000) -> list[dict[str, Any]]:
    """Return the metrics of each step behind one, ascending."""
    query = select(metrics).where(metrics.c.job_id == job_id, metrics.c.step > after_step)
    found = connection.execute(query.order_by(metrics.c.step).limit(limit))
    return [{name: value for name, value in row._mapping.items() if name != "job_id"} for row in found]


def curves(
    connection: Connection,
    job_id: str,
    names: Sequence[str],
    num_buckets: int = 500,
    first_step: int = 1,
    last_step: int = MOST_STEPS,
) -> dict[str, list[Bucket]]:
    """Return each of some metrics between two steps, in at most `num_buckets` pieces of equally many steps.

    A metric with no more values than that has each of them in a piece of its own; in the others no spike is lost.

    Raises:
        KeyError: no metric of that name.
    """
    columns = {name: metrics.c[name] for name in names}
    where = (metrics.c.job_id == job_id, metrics.c.step >= first_step, metrics.c.step <= last_step)
    counted = [func.count(column) for column in columns.values()]
    low, high, *counts = connection.execute(
        select(func.min(metrics.c.step), func.max(metrics.c.step), *counted).where(*where)
    ).one()
    found: dict[str, list[Bucket]] = {name: [] for name in names}
    few = [name for name, count in zip(names, counts, strict=True) if 0 < count <= num_buckets]
    many = [name for name, count in zip(names, counts, strict=True) if count > num_buckets]
    if few:
        has_value = or_(*(columns[name].is_not(None) for name in few))
        query = select(metrics.c.step, *(columns[name] for name in few)).where(*where, has_value)
        rows = connection.execute(query.order_by(metrics.c.step)).all()
        for name in few:
            values = [(row[0], getattr(row, name)) for row in rows]
            found[name] = [Bucket(step, step, value, value, value) for step, value in values if value is not None]
    if many:
        width = -(-(high - low + 1) // num_buckets)
        _add_pieces(connection, found, {name: columns[name] for name in many}, where, (metrics.c.step - low) // width)
    return found


def _add_pieces(
    connection: Connection,
    found: dict[str, list[Bucket]],
    columns: dict[str, Column[float]],
    where: Sequence[ColumnElement[bool]],
    piece: ColumnElement[int],
) -> None:
    """Add one bucket per piece to each metric that has values there; all are read in one pass."""
    ends = [end for column in columns.values() for end in (func.min(column), func.max(column), func.avg(column))]
    query = select(func.min(metrics.c.step), func.max(metrics.c.step), *ends).where(*where).group_by(piece)
    for first, last, *values in connection.execute(query.order_by(func.min(metrics.c.step))):
        for index, name in enumerate(columns):
            lowest, highest, mean = values[3 * index : 3 * index + 3]
            if lowest is not None:
                found[name].append(Bucket(first, last, lowest, highest, mean))


@dataclass(frozen=True, slots=True)
class Epoch:
    """The steps of one pass over the rows: mean and lowest loss, and mean speed; None is not known."""

    epoch: int
    first_step: int
    last_step: int
    loss: float | None
    lowest_loss: float | None
    eval_loss: float | None  # the last one measured in it
    tokens_per_second: float | None


def epochs(connection: Connection, job_id: str, steps_per_epoch: int, limit: int = 1000) -> list[Epoch]:
    """Return the newest epochs of a job, ascending."""
    number = (metrics.c.step - 1) // steps_per_epoch
    loss, speed = metrics.c.loss, metrics.c.tokens_per_second
    values = (func.avg(loss), func.min(loss), func.avg(speed))
    is_of_job = metrics.c.job_id == job_id
    query = select(number, func.min(metrics.c.step), func.max(metrics.c.step), *values).where(is_of_job)
    newest = connection.execute(query.group_by(number).order_by(number.desc()).limit(limit)).all()
    measured = select(metrics.c.step, metrics.c.eval_loss).where(is_of_job, metrics.c.eval_loss.is_not(None))
    of_epoch = {(step - 1) // steps_per_epoch: loss for step, loss in connection.execute(measured.order_by("step"))}
    return [
        Epoch(index + 1, first, last, mean, lowest, of_epoch.get(index), tokens)
        for index, first, last, mean, lowest, tokens in reversed(newest)
    ]
