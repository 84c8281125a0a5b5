"""Settings of the workspace that users change while it is open."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select

from llmlora.store.dialects import Dialect
from llmlora.store.tables import settings


def get_all(connection: Connection) -> dict[str, Any]:
    """Return every setting that was ever set."""
    return {row.key: row.value for row in connection.execute(select(settings))}


def put(connection: Connection, dialect: Dialect, key: str, value: Any) -> None:
    """Set one."""
    insert = dialect.insert(settings).values(key=key, value=value)
    connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_={"value": insert.excluded.value}))


def forget(connection: Connection, key: str) -> None:
    """Let one have its default again."""
    connection.execute(delete(settings).where(settings.c.key == key))
