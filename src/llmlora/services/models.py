"""Which base models there are, and what is known about them without loading one."""

from __future__ import annotations

import os
from typing import Any

from llmlora.catalog.base_model import bundled_models, known_names, resolve_base_model
from llmlora.catalog.hub_cache import cached_snapshot
from llmlora.catalog.installable import INSTALLABLE
from llmlora.catalog.known_architectures import unknown_architecture
from llmlora.catalog.model_list import ListedModel, list_all_models
from llmlora.catalog.ollama_name import PREFIX as OLLAMA
from llmlora.catalog.ollama_store import find_ollama_model
from llmlora.catalog.starting_points import starting_points
from llmlora.core.errors import InputError, LlmloraError, ModelFileError, NotFound, OutOfMemory
from llmlora.core.locale import what_and_why
from llmlora.core.memory import BITS_IN_LAYERS, least_memory_bytes
from llmlora.core.near_names import near_names
from llmlora.services.capacity import memory_bytes

FIELDS = (
    "name", "architecture", "model_type", "num_parameters", "context_length", "vocab_size", "dtype", "license",
    "num_bytes", "digest", "install", "can_export",
)  # fmt: skip


def list_models() -> list[dict[str, Any]]:
    """Return the models of this machine: name, kind, architecture, num_parameters, context_length, license and more.

    `kind` is where it comes from: bundled, package, hub (the Hub's cache) or ollama. `memory_bytes` is what training an
    adapter takes at least. Where `can_train` is false,
    `why_not` says why in words and `code` for programs, or `install` is the command that gets it.
    """
    free = memory_bytes()
    return [_document(model, free) for model in list_all_models()]


def list_starting_points() -> list[dict[str, Any]]:
    """Return the curated list of models to start from, each with source and date; see `starting_points`."""
    return starting_points()


def _document(model: ListedModel, free: int) -> dict[str, Any]:
    num_parameters = model.num_parameters
    error = model.why_not or _too_large(num_parameters or 0, free)
    return {
        **{name: getattr(model, name) for name in FIELDS},
        "kind": model.source,
        "recommended": dict(model.recommended),
        "can_train": model.can_train and error is None,
        "memory_bytes": None if num_parameters is None else least_memory_bytes(num_parameters, 0, "lora"),
        **(_why_not(error) if error is not None else {"why_not": None, "code": None}),
        "path": str(model.path) if model.path is not None else None,
    }


def _too_large(num_parameters: int, free: int) -> OutOfMemory | None:
    """Return the error of a model whose weights alone do not fit what memory is free now, in blocks either."""
    needed = least_memory_bytes(num_parameters, 0, "qlora", round(num_parameters * BITS_IN_LAYERS / 8))
    return OutOfMemory("memory_short", needed_bytes=needed, free_bytes=free) if needed > free else None


def check_model(name: str) -> dict[str, Any]:
    """Return `{"name", "exists", "source", "can_train", "why_not", "code"}` for a name that came over HTTP.

    Folders of this machine are not looked at: a path over HTTP would tell anybody what lies where.
    """
    answer: dict[str, Any] = {"name": name, "exists": False, "source": None, "can_train": False}
    try:
        source = require_known_model(name)
        error = _against(name)
    except (InputError, NotFound) as unknown:
        return {**answer, **_why_not(unknown)}
    if error is not None:
        return {**answer, "exists": True, "source": source, **_why_not(error)}
    return {**answer, "exists": True, "source": source, "can_train": True, "why_not": None, "code": None}


def _against(name: str) -> LlmloraError | None:
    """Return what is known against training a model that is there; raises NotFound when it is not installed."""
    try:
        base = resolve_base_model(name)
    except ModelFileError as error:
        return error
    unknown = None if base.is_opened else unknown_architecture(base.architecture)
    return unknown or _too_large(base.num_parameters, memory_bytes())


def require_known_model(name: str) -> str:
    """Return where a model comes from that is named over HTTP, or refuse the name: no path is ever looked at.

    Raises:
        InputError: `model_path_over_http`. NotFound: `model_not_known`, and those of `find_ollama_model`.
    """
    if name in bundled_models():
        return "bundled"
    if name in INSTALLABLE:
        return "package"
    if name.startswith((".", "~", "/")) or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise InputError("model_path_over_http")
    if name.startswith(OLLAMA):
        find_ollama_model(name)
        return "ollama"
    if not os.path.exists(name) and cached_snapshot(name) is not None:
        return "hub"
    raise NotFound("model_not_known", name=name, near=near_names(name, known_names()))


def _why_not(error: LlmloraError) -> dict[str, str]:
    return {"why_not": what_and_why(error), "code": error.code}
