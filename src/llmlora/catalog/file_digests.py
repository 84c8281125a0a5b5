"""SHA-256 of files, remembered by place, size and time: a model of gigabytes is not read again at every command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmlora.core.errors import LlmloraError
from llmlora.core.layout import home_dir
from llmlora.core.publish import read_json, sha256_file, write_json

DIGEST_CACHE = "model-digests.json"
MAX_CACHED_DIGESTS = 256


def digests_of(paths: Sequence[Path]) -> list[str]:
    """Return the SHA-256 of each file; raises OSError where one cannot be read."""
    cache_path = home_dir() / DIGEST_CACHE
    cache = _read_cache(cache_path)
    known = dict(cache)
    digests = [_file_digest(path, known) for path in paths]
    if known != cache:
        _write_cache(cache_path, known)
    return digests


def _file_digest(path: Path, known: dict[str, str]) -> str:
    state = path.stat()
    key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
    if key not in known:
        known[key] = sha256_file(path)
    return known[key]


def _read_cache(path: Path) -> dict[str, str]:
    try:
        cache = read_json(path)
    except (OSError, ValueError):
        return {}
    return cache if isinstance(cache, dict) else {}


def _write_cache(path: Path, cache: dict[str, str]) -> None:
    newest = dict(list(cache.items())[-MAX_CACHED_DIGESTS:])
    try:
        write_json(path, newest)
    except (OSError, LlmloraError):
        return  # only a cache: a read-only or full workspace must not stop anyone from looking at a model
