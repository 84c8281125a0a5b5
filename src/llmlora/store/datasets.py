"""Datasets: what was uploaded or made, and what the check said of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from sqlalchemy import Connection, Row, select, update

from llmlora.core.boot_clock import Moment
from llmlora.core.errors import NotFound
from llmlora.store.deletion import hide, is_due, show
from llmlora.store.jobs import MOST_ROWS
from llmlora.store.tables import datasets


@dataclass(frozen=True, slots=True)
class DatasetRow:
    """A dataset as the index has it; one with `is_ok` false cannot be trained on."""

    id: str
    name: str
    description: str
    folder: str  # relative to the workspace
    file_name: str  # of the file in it
    format: str | None  # instruction, chat, completion, text; None where the check could not tell
    encoding: str | None
    num_examples: int
    num_bytes: int
    sha256: str
    is_ok: bool
    problems: list[dict[str, Any]]
    stats: dict[str, Any]
    created_at: str
    deleted_at: str | None = None
    version: int = 1  # of the file; an edit makes the next one and leaves the file of this one alone
    columns: dict[str, str] = field(default_factory=dict)  # field -> column, where the usual names do not fit
    change: dict[str, Any] | None = None  # how this version was made; None for the first


def insert(connection: Connection, dataset: DatasetRow) -> None:
    """Add a dataset."""
    connection.execute(datasets.insert(), asdict(dataset))


def put_version(connection: Connection, dataset: DatasetRow) -> bool:
    """Replace everything that is known of a dataset by what is known of its next version; False when it is not next."""
    values = {name: value for name, value in asdict(dataset).items() if name not in ("id", "created_at", "deleted_at")}
    is_next = (datasets.c.id == dataset.id) & (datasets.c.version == dataset.version - 1)
    return connection.execute(update(datasets).where(is_next).values(**values)).rowcount == 1


def get(connection: Connection, dataset_id: str) -> DatasetRow:
    """Return a dataset that is not deleted.

    Raises:
        NotFound: `dataset_not_found`.
    """
    found = find(connection, dataset_id)
    if found is None or found.deleted_at is not None:
        raise NotFound("dataset_not_found", id=dataset_id)
    return found


def find(connection: Connection, dataset_id: str) -> DatasetRow | None:
    """Return a dataset, deleted or not; None when there is none."""
    row = connection.execute(select(datasets).where(datasets.c.id == dataset_id)).first()
    return None if row is None else _row(row)


def page(connection: Connection, *, before: str | None = None, limit: int = 50) -> list[DatasetRow]:
    """Return datasets that are not deleted, the newest first; `before` is the id of the last one seen."""
    query = select(datasets).where(datasets.c.deleted_at.is_(None)).order_by(datasets.c.id.desc())
    if before is not None:
        query = query.where(datasets.c.id < before)
    return _rows(connection.execute(query.limit(min(limit, MOST_ROWS))).all())


def names(connection: Connection, *, deleted: bool = False) -> dict[str, str]:
    """Return the name of every dataset by its id, the newest first: of those that are there, or of deleted ones."""
    which = datasets.c.deleted_at.is_not(None) if deleted else datasets.c.deleted_at.is_(None)
    query = select(datasets.c.id, datasets.c.name).where(which).order_by(datasets.c.id.desc())
    return {row.id: row.name for row in connection.execute(query)}


def has_content(connection: Connection, sha256: str, name: str) -> bool:
    """Tell whether there is a dataset of this name with a file of this content."""
    query = select(datasets.c.id).where(datasets.c.sha256 == sha256, datasets.c.name == name)
    return connection.execute(query.where(datasets.c.deleted_at.is_(None)).limit(1)).first() is not None


def all_ids(connection: Connection) -> set[str]:
    """Return the ids of all datasets, deleted ones too."""
    return set(connection.execute(select(datasets.c.id)).scalars())


def mark_deleted(connection: Connection, dataset_id: str, purge: Moment) -> bool:
    """Hide a dataset until it is purged; False when it is gone or hidden already."""
    return hide(connection, datasets, dataset_id, purge)


def undo_delete(connection: Connection, dataset_id: str) -> bool:
    """Show a hidden dataset again; False when it is purged or not hidden."""
    return show(connection, datasets, dataset_id)


def due_to_purge(connection: Connection, now: Moment) -> list[DatasetRow]:
    """Return the hidden datasets whose time to undo is over."""
    return _rows(connection.execute(select(datasets).where(is_due(datasets, now))).all())


def remove(connection: Connection, dataset_id: str) -> None:
    """Forget a dataset."""
    connection.execute(datasets.delete().where(datasets.c.id == dataset_id))


def _rows(found: Sequence[Row[Any]]) -> list[DatasetRow]:
    return [_row(row) for row in found]


def _row(row: Row[Any]) -> DatasetRow:
    return DatasetRow(**{item.name: row._mapping[item.name] for item in fields(DatasetRow)})
