"""Idempotency keys: a request that is sent twice is done once, and both get the same answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select, update

from llmlora.core.errors import Conflict
from llmlora.store.dialects import Dialect
from llmlora.store.tables import idempotency_keys
from llmlora.store.times import utc_now

KEPT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    response: Any


def begin(connection: Connection, dialect: Dialect, key: str, request: str) -> Answer | None:
    """Take a key for a request (a digest of method, path and body); returns the answer it has had already.

    Raises:
        Conflict: `idempotency_key_reused` for another request, `idempotency_key_busy` for one that is not answered yet.
    """
    values = {"key": key, "request": request, "created_at": utc_now()}
    insert = dialect.insert(idempotency_keys).values(**values).on_conflict_do_nothing()
    if connection.execute(insert.execution_options(preserve_rowcount=True)).rowcount == 1:
        return None
    row = connection.execute(select(idempotency_keys).where(idempotency_keys.c.key == key)).one()
    if row.request != request:
        raise Conflict("idempotency_key_reused", key=key)
    if row.status is None:
        raise Conflict("idempotency_key_busy", key=key)
    return Answer(row.status, row.response)


def answer(connection: Connection, key: str, status: int, response: Any) -> None:
    """Remember what a request was answered."""
    query = update(idempotency_keys).where(idempotency_keys.c.key == key)
    connection.execute(query.values(status=status, response=response))


def forget(connection: Connection, key: str) -> None:
    """Give a key back whose request failed: it may be tried again."""
    connection.execute(idempotency_keys.delete().where(idempotency_keys.c.key == key))


def forget_unanswered(connection: Connection) -> None:
    """Give back the keys of requests that a server did not live to answer."""
    connection.execute(idempotency_keys.delete().where(idempotency_keys.c.status.is_(None)))


def trim(connection: Connection, kept: int = KEPT) -> None:
    """Forget all but the newest keys."""
    newest = select(idempotency_keys.c.created_at).order_by(idempotency_keys.c.created_at.desc()).offset(kept).limit(1)
    oldest = connection.execute(newest).scalar()
    if oldest is not None:
        connection.execute(idempotency_keys.delete().where(idempotency_keys.c.created_at <= oldest))
