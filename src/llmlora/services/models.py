"""Which base models there are, and what is known about them without loading one."""

from __future__ import annotations

from typing import Any

from llmlora.catalog.base_model import list_base_models


def list_models() -> list[dict[str, Any]]:
    """Return the bundled models: name, kind, architecture, num_parameters, context_length, license, path and more."""
    return [model.to_dict() for model in list_base_models()]
