"""Metrics: the curve of every job, one row per optimizer step; of a step that two runs logged the higher run counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from llmlora.store.dialects import Dialect
from llmlora.store.tables import METRICS, metrics


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


def curve(connection: Connection, job_id: str, name: str, num_buckets: int = 500) -> list[Bucket]:
    """Return one metric in at most `num_buckets` pieces of equally many steps; no spike is lost.

    Raises:
        KeyError: no metric of that name.
    """
    column = metrics.c[name]
    has_value = (metrics.c.job_id == job_id, column.is_not(None))
    first, last = connection.execute(select(func.min(metrics.c.step), func.max(metrics.c.step)).where(*has_value)).one()
    if first is None:
        return []
    width = max(1, -(-(last - first + 1) // num_buckets))
    piece = (metrics.c.step - first) // width
    query = select(
        func.min(metrics.c.step), func.max(metrics.c.step), func.min(column), func.max(column), func.avg(column)
    ).where(*has_value)
    found = connection.execute(query.group_by(piece).order_by(func.min(metrics.c.step)))
    return [Bucket(row[0], row[1], float(row[2]), float(row[3]), float(row[4])) for row in found]
