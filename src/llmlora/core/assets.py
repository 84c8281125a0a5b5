"""What comes with the package: the model that is always there, its first data set, and where such files lie."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

BASE_MODEL = "nano"
DATASET = "level1_basic_qa.json"


def asset_path(*parts: str) -> Path:
    """Return the path of a bundled file, or of the folder in which all of them lie."""
    return Path(str(resources.files("llmlora")), "assets", *parts)
