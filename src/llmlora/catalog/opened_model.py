"""What was made of a GGUF file when it was first opened: a folder of the workspace, kept under the file's digest.

It has what a model folder has beside weights (config, tokenizer, chat template), the names of the tensors, and, once
the model has been compared with llama.cpp, what that measured.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmlora.catalog.safetensors_header import TensorInfo
from llmlora.core.layout import CONFIG_FILE, home_dir
from llmlora.core.publish import read_json

OPENED_FILE = "opened.json"
SELFTEST_FILE = "selftest.json"
OPENED_RULES = 1  # raised when the same file would be opened otherwise: what older versions made is made again


@dataclass(frozen=True)
class OpenedModel:
    """A folder that is whole: the model's config.json, its tensors by their Hugging Face names, and the self-test."""

    path: Path
    config: dict[str, Any]
    tensors: tuple[TensorInfo, ...] = field(repr=False)
    selftest: dict[str, Any] | None


def opened_dir(digest: str) -> Path:
    """Return the folder of a GGUF model by its digest."""
    return home_dir() / "opened" / digest


def read_opened(digest: str) -> OpenedModel | None:
    """Return what was made of a model; None when nothing was, or by other rules."""
    folder = opened_dir(digest)
    try:
        document = read_json(folder / OPENED_FILE)
        if document["rules"] != OPENED_RULES:
            return None
        config = dict(read_json(folder / CONFIG_FILE))
        tensors = tuple(TensorInfo(name, "F32", tuple(shape), 0, 0) for name, shape in document["tensors"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return OpenedModel(folder, config, tensors, _selftest(folder))


def _selftest(folder: Path) -> dict[str, Any] | None:
    try:
        found = read_json(folder / SELFTEST_FILE)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("rules") == OPENED_RULES else None
