"""Bring a database to the newest schema. Only here is Alembic loaded, and this file only when something is missing."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(connection: Connection, target: str = "head") -> None:
    """Run every missing migration up to a revision in the transaction of `connection`."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, target)


def revisions() -> list[str]:
    """Return every revision, the first one first."""
    found = ScriptDirectory.from_config(_config()).walk_revisions()
    return [script.revision for script in reversed(list(found))]


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
