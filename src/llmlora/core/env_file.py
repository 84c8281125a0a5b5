"""Settings of the environment from a file that the user names, as Docker Compose takes them from `.env`."""

from __future__ import annotations

import os
from pathlib import Path

from dotenv import dotenv_values

from llmlora.core.errors import ConfigError, NotFound


def load_env_file(path: Path) -> None:
    """Put the variables of a file into the environment; one that is set there already wins.

    Raises:
        NotFound: `file_not_found`. ConfigError: `env_file_unreadable`.
    """
    if not path.is_file():
        raise NotFound("file_not_found", path=str(path))
    try:
        found = dotenv_values(path, encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigError("env_file_unreadable", path=str(path), detail=str(error)) from error
    for name, value in found.items():
        if value:
            os.environ.setdefault(name, value)
