"""llmlora fine-tunes language models on your own machine and proves what came out."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "check_dataset": "llmlora.services.dataset",
    "preview_dataset": "llmlora.services.preview",
    "convert_dataset": "llmlora.services.dataset",
    "reword_dataset": "llmlora.services.reword",
    "train": "llmlora.services.train",
    "evaluate": "llmlora.services.evaluate",
    "ladder": "llmlora.services.evaluate",
    "compare": "llmlora.services.compare",
    "combine": "llmlora.services.combine",
    "merge": "llmlora.services.merge",
    "export_model": "llmlora.services.export",
    "verify": "llmlora.services.verify",
    "chat": "llmlora.services.chat",
    "doctor": "llmlora.services.doctor",
    "list_models": "llmlora.services.models",
}
__all__ = ["__version__", *_PUBLIC]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'llmlora' has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
