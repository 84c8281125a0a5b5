"""The server's log: a file in the workspace that starts anew at 5 MB, in which no secret is ever written."""

from __future__ import annotations

import logging
import re
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from llmlora.core.layout import SERVER_LOG, home_dir

MAX_BYTES = 5_000_000
PIECE_BYTES = 256 << 10  # of one answer
HIDDEN = "[hidden]"
# Tokens of the Hub, what a header or an address says of ours, and what stands in front of a host in an address.
_SECRETS = re.compile(
    r"hf_[A-Za-z0-9]{30,}|(?<=token=)[^&\s\"']+|(?<=[Bb]earer )\S+|(?<=llmlora-)\d+=[0-9a-f]{64}|(?<=://)[^/\s\"'@]+(?=@)"
)


def without_secrets(text: str, *more: str) -> str:
    """Return a text in which tokens, and the further secrets given, are hidden."""
    for secret in more:
        text = text.replace(secret, HIDDEN)
    return _SECRETS.sub(HIDDEN, text)


class SecretFilter(logging.Filter):
    """Hides secrets in every record that passes, in its message and in its traceback."""

    def __init__(self, token: str | None = None) -> None:
        super().__init__()
        self._more = (token,) if token else ()

    def filter(self, record: logging.LogRecord) -> bool:
        """Word the record here, so that nothing hidden can come back with its arguments."""
        record.msg = without_secrets(record.getMessage(), *self._more)
        record.args = ()
        if record.exc_info:
            record.exc_text = without_secrets(logging.Formatter().formatException(record.exc_info), *self._more)
            record.exc_info = None
        return True


class LogFile(RotatingFileHandler):
    """The log on the disk of the workspace; on a full one lines are lost, and nothing else."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - its name in the standard library
        """Drop the line: a traceback for each would flood the terminal, and stand still where nobody reads it."""


def log_config(token: str | None) -> dict[str, Any]:
    """Return the configuration of `logging`: everything into the file, errors to the terminal as well."""
    file = {"()": LogFile, "filename": str(home_dir() / SERVER_LOG)}
    common = {"formatter": "line", "filters": ["secrets"]}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"secrets": {"()": SecretFilter, "token": token}},
        "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
        "handlers": {
            "file": {**file, **common, "maxBytes": MAX_BYTES, "backupCount": 2, "encoding": "utf-8", "delay": True},
            "terminal": {"class": "logging.StreamHandler", **common, "level": "ERROR"},
        },
        "root": {"handlers": ["file", "terminal"], "level": "INFO"},
    }


def server_log(tail: int) -> dict[str, Any]:
    """Return the last lines of the server's log, as `read_piece` does."""
    return read_piece(home_dir() / SERVER_LOG, None, tail)


def read_piece(path: Path, after: int | None, tail: int) -> dict[str, Any]:
    """Return a piece of a log without secrets, at most 256 KiB: what follows byte `after`, else the last `tail` lines.

    `begins_at` and `offset` are where it begins and ends in the file of `num_bytes`; a log that is not there is empty.
    """
    size = path.stat().st_size if path.is_file() else 0
    start = max(0, size - PIECE_BYTES) if after is None else min(after, size)
    content = b""
    if size:
        with path.open("rb") as stream:
            stream.seek(start)
            content = stream.read(PIECE_BYTES)
    end = start + len(content)
    if after is None:
        content = b"".join(content.splitlines(keepends=True)[-tail:]) if tail else b""
        start = end - len(content)
    text = without_secrets(content.decode("utf-8", "replace"))
    return {"text": text, "begins_at": start, "offset": end, "num_bytes": size}
