"""Rows that are hidden first and gone later: what a user deletes can be had back for a while."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Table, or_, update

from llmlora.core.boot_clock import Moment
from llmlora.store.times import utc_now


def hide(connection: Connection, table: Table, row_id: str, purge: Moment, *conditions: ColumnElement[bool]) -> bool:
    """Hide a row until it is purged; False when it is gone, hidden already, or a condition does not hold."""
    query = update(table).where(table.c.id == row_id, table.c.deleted_at.is_(None), *conditions)
    values = {"deleted_at": utc_now(), "purge_at": purge.seconds, "purge_boot": purge.boot_id}
    return connection.execute(query.values(**values)).rowcount == 1


def show(connection: Connection, table: Table, row_id: str) -> bool:
    """Show a hidden row again; False when it is purged or not hidden."""
    query = update(table).where(table.c.id == row_id, table.c.deleted_at.is_not(None))
    return connection.execute(query.values(deleted_at=None, purge_at=None, purge_boot=None)).rowcount == 1


def is_due(table: Table, now: Moment) -> ColumnElement[bool]:
    """Return the condition that a row is hidden and its time to undo is over."""
    is_over = or_(table.c.purge_boot != now.boot_id, table.c.purge_at <= now.seconds)
    return table.c.deleted_at.is_not(None) & is_over
