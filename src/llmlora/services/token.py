"""The token of a workspace: a file that only its owner can read; `LLMLORA_TOKEN` takes its place."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from llmlora.core.errors import ConfigError, ResourceError
from llmlora.core.layout import TOKEN_FILE, home_dir
from llmlora.core.server import ServerSettings

TOKEN_BYTES = 32
LONGEST = 512


def server_token(settings: ServerSettings) -> str | None:
    """Return the token that requests have to carry, None where none is asked for; the first use makes the file.

    Raises:
        ConfigError: `token_missing`, other machines would reach the server and nobody has chosen a token.
        ResourceError: `token_unreadable`, the file is a link, empty or another user's.
    """
    if not settings.needs_token:
        return None
    if settings.token is not None:
        return settings.token.get_secret_value()
    path = home_dir() / TOKEN_FILE
    if not os.path.lexists(path):
        if not settings.is_loopback:
            raise ConfigError("token_missing", host=settings.host, path=str(path))
        _create(path)
    return _read(path)


def stored_token() -> str | None:
    """Return the token in the workspace's file, None without a usable one."""
    try:
        return _read(home_dir() / TOKEN_FILE)
    except (OSError, ResourceError):
        return None


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "w", encoding="ascii") as stream:
        stream.write(secrets.token_urlsafe(TOKEN_BYTES) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _read(path: Path) -> str:
    """Read the file without following a link, and close it to others who could have read it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise ResourceError("token_unreadable", path=str(path), detail=error.strerror or str(error)) from error
    with os.fdopen(descriptor, "rb") as stream:
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode) or state.st_uid not in (os.geteuid(), 0):
            raise ResourceError("token_unreadable", path=str(path), detail="-")
        if state.st_mode & 0o077 and state.st_uid == os.geteuid():
            os.fchmod(descriptor, 0o600)
        text = stream.read(LONGEST).decode("ascii", "replace").strip()
    if not text or not text.isprintable() or " " in text:
        raise ResourceError("token_unreadable", path=str(path), detail="-")
    return text
