"""How this installation is set up: every setting outside a training run, its value, and where that came from."""

from __future__ import annotations

import os
from typing import Any, Final

from llmlora.core.layout import (
    DATABASE_FILE,
    SERVER_LOG,
    TOKEN_FILE,
    datasets_dir,
    home_dir,
    jobs_dir,
    prepared_dir,
)
from llmlora.core.locale import current_language
from llmlora.core.server import ServerSettings, read_server_settings
from llmlora.services.token import stored_token
from llmlora.store.dialects import dialect_of

HIDDEN: Final = "****"
PLACES: Final = ("workspace", "jobs", "datasets", "prepared", "database", "token", "log")


def configuration() -> list[dict[str, Any]]:
    """Return `{"name", "value", "origin"}` of every setting; `origin` is a variable, a file, or `default`.

    Secrets are hidden.

    Raises:
        ConfigError: a variable holds a value that cannot be used.
    """
    server = read_server_settings()
    return [
        _setting("workspace", str(home_dir()), "LLMLORA_HOME"),
        _setting("database", _database(), "DATABASE_URL"),
        _setting("host", server.host, "LLMLORA_HOST"),
        _setting("port", server.port, "LLMLORA_PORT"),
        _setting("allowed_hosts", list(server.allowed_hosts), "LLMLORA_ALLOWED_HOSTS"),
        _token(server),
        _language(),
        _setting("device", os.environ.get("LLMLORA_DEVICE") or "auto", "LLMLORA_DEVICE"),
        _setting("threads", os.environ.get("OMP_NUM_THREADS") or "auto", "OMP_NUM_THREADS"),
    ]


def places() -> dict[str, str]:
    """Return where everything of the workspace lies, by the names of PLACES."""
    home = home_dir()
    folders = (home, jobs_dir(), datasets_dir(home), prepared_dir())
    found = (*map(str, folders), _database(), str(home / TOKEN_FILE), str(home / SERVER_LOG))
    return dict(zip(PLACES, found, strict=True))


def _setting(name: str, value: Any, variable: str) -> dict[str, Any]:
    return {"name": name, "value": value, "origin": variable if os.environ.get(variable) else "default"}


def _database() -> str:
    return dialect_of(os.environ.get("DATABASE_URL"), home_dir() / DATABASE_FILE).place


def _token(server: ServerSettings) -> dict[str, Any]:
    if server.token is not None:
        return _setting("token", HIDDEN, "LLMLORA_TOKEN")
    path = home_dir() / TOKEN_FILE
    if stored_token() is None:
        return {"name": "token", "value": None, "origin": "default"}
    return {"name": "token", "value": HIDDEN, "origin": str(path)}


def _language() -> dict[str, Any]:
    variable = next((name for name in ("LLMLORA_LANG", "LC_ALL", "LANG") if os.environ.get(name)), None)
    return {"name": "language", "value": current_language(), "origin": variable or "default"}
