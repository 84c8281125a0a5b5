"""The settings of a workspace: read, changed, and shown beside what only a file or the environment changes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from llmlora.core.addresses import without_credentials
from llmlora.core.layout import home_dir
from llmlora.core.presets import preset_values
from llmlora.core.server import ServerSettings
from llmlora.core.workspace_settings import WorkspaceSettings
from llmlora.store import settings
from llmlora.store.database import Database

PRESETS = {"default_preset": "preset", "default_training_preset": "training_preset"}


def read_settings(database: Database) -> WorkspaceSettings:
    """Return the settings of a workspace; what was never set has its default."""
    with database.read() as connection:
        stored = settings.get_all(connection)
    known = {name: stored[name] for name in WorkspaceSettings.model_fields if name in stored}
    return WorkspaceSettings.model_validate(known)


def change_settings(database: Database, changes: Mapping[str, Any]) -> WorkspaceSettings:
    """Change some settings, checked already by their types; None gives one its default again.

    Raises:
        ConfigError: `unknown_preset`.
    """
    for name, kind in PRESETS.items():
        if changes.get(name) is not None:
            preset_values(kind, changes[name])
    with database.write() as connection:
        for name, value in changes.items():
            if value is None:
                settings.forget(connection, name)
            else:
                settings.put(connection, database.dialect, name, value)
    return read_settings(database)


def fixed_settings(server: ServerSettings, database: Database) -> list[dict[str, Any]]:
    """Return how the server is set up, `name`, `value` and `origin`: default, environment or command line."""
    found = [
        {"name": name, "value": getattr(server, name), "origin": _origin(server, name)}
        for name in ("host", "port", "allowed_hosts")
    ]
    others: tuple[tuple[str, Any, str | None], ...] = (
        ("workspace", str(home_dir()), "LLMLORA_HOME"),
        ("database", database.engine.dialect.name, "DATABASE_URL"),
        ("ollama_host", without_credentials(os.environ.get("OLLAMA_HOST", "")) or None, "OLLAMA_HOST"),
        ("hub_offline", os.environ.get("HF_HUB_OFFLINE") == "1", "HF_HUB_OFFLINE"),
        ("remote_code", False, None),  # code that a model brings along is never run
    )
    found += [{"name": name, "value": value, "origin": _of_variable(variable)} for name, value, variable in others]
    return found


def _of_variable(variable: str | None) -> str:
    return "environment" if variable is not None and os.environ.get(variable) else "default"


def _origin(server: ServerSettings, name: str) -> str:
    field = ServerSettings.model_fields[name]
    value = getattr(server, name)
    if value == field.default:
        return "default"
    text = ",".join(value) if isinstance(value, tuple) else str(value)
    return "environment" if os.environ.get(str(field.validation_alias), "").lower() == text.lower() else "command_line"
