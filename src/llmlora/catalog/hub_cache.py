"""Models that Hugging Face's own tools have downloaded before, in their cache on this machine; read only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from llmlora.core.layout import CONFIG_FILE

_PREFIX = "models--"


def hub_cache_dir() -> Path:
    """Return the cache: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else the usual place."""
    named = os.environ.get("HF_HUB_CACHE")
    if named:
        return Path(named).expanduser()
    return hub_home() / "hub"


def hub_home() -> Path:
    """Return the folder of Hugging Face's own tools: `HF_HOME`, else the usual place."""
    home = os.environ.get("HF_HOME") or os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return Path(home).expanduser()


def cached_models() -> Iterator[tuple[str, Path]]:
    """Yield the ids of models with a configuration in the cache, and the folder of each one's main revision."""
    try:
        entries = sorted(os.listdir(hub_cache_dir()))
    except OSError:
        return
    for entry in entries:
        if entry.startswith(_PREFIX):
            name = entry.removeprefix(_PREFIX).replace("--", "/")
            folder = cached_snapshot(name)
            if folder is not None:
                yield name, folder


def repo_folder(name: str) -> Path:
    """Return where everything of `org/name` lies in the cache, whatever its revision."""
    return hub_cache_dir() / f"{_PREFIX}{name.replace('/', '--')}"


def cached_snapshot(name: str) -> Path | None:
    """Return the folder of `org/name` or `org/name@revision` in the cache; None when it is not there."""
    model, _, revision = name.partition("@")
    root = repo_folder(model)
    try:
        commit = (root / "refs" / (revision or "main")).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        commit = revision
    folder = root / "snapshots" / commit
    is_inside = bool(commit) and "/" not in commit and commit not in (".", "..")
    return folder if is_inside and (folder / CONFIG_FILE).is_file() else None
