"""Models to start from, as data: what they are, their licence, their name in Ollama's library, and presets."""

from __future__ import annotations

import json
from typing import Any

from llmlora.core.assets import asset_path

FILE = "starting_points.json"


def starting_points() -> list[dict[str, Any]]:
    """Return the entries of the curated list, Japanese models first.

    Each has `id` (of the Hub), `languages`, `num_parameters`, `license`, `gated` (the licence has to be accepted
    there), `ollama` (its name in Ollama's library, or null), `preset`, `training_preset`, `source` and `date` of
    what is said, and `confirmed`: whether that was read at the source on that date, or is from memory.
    """
    text = asset_path(FILE).read_text(encoding="utf-8")
    entries: list[dict[str, Any]] = json.loads(text)
    return entries
