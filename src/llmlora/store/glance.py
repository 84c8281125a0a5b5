"""A glance at an index that is there already: nothing is made, migrated or waited for."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from llmlora.core.errors import LlmloraError
from llmlora.core.layout import DATABASE_FILE
from llmlora.store.database import Database
from llmlora.store.dialects import dialect_of


def glance(home: Path, ask: Callable[[Connection], dict[str, str]]) -> dict[str, str]:
    """Return what `ask` reads from the index of a workspace; nothing where there is none, or it cannot be read."""
    url, path = os.environ.get("DATABASE_URL"), home / DATABASE_FILE
    if not url and not path.is_file():
        return {}
    try:
        with closing(Database(dialect_of(url, path), home)) as database, database.read() as connection:
            return ask(connection)
    except (LlmloraError, SQLAlchemyError):
        return {}
