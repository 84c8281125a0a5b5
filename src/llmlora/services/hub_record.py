"""Which models of the Hub this program has put into the cache that it shares with others: only those may it delete."""

from __future__ import annotations

import json

from llmlora.core.layout import fetched_models_file, home_dir
from llmlora.core.publish import read_json, write_text


def fetched_names() -> frozenset[str]:
    """Return their names, `org/name` each; none where nothing was written down, or somebody has damaged it."""
    try:
        return frozenset(map(str, read_json(fetched_models_file(home_dir()))["hub"]))
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def remember_fetched(name: str) -> None:
    """Write down that this program has fetched a model, or a revision of one."""
    _write(fetched_names() | {name.partition("@")[0]})


def forget_fetched(name: str) -> None:
    """Write down that a model is not there any more."""
    _write(fetched_names() - {name})


def _write(names: frozenset[str]) -> None:
    path = fetched_models_file(home_dir())
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"hub": sorted(names)}) + "\n")
