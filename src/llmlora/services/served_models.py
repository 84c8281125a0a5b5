"""What is told of models to programs that speak Ollama's protocol: lists, what is loaded, and one by one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from llmlora.catalog.gguf_files import read_gguf_files
from llmlora.catalog.header_reader import read_ahead
from llmlora.catalog.model_folder import read_model_folder
from llmlora.core.errors import LlmloraError
from llmlora.core.job import read_job
from llmlora.core.layout import TEMPLATE_FILE
from llmlora.services.askable import Askable, list_askable
from llmlora.services.chat import ModelLocation
from llmlora.services.queue import Queue
from llmlora.services.served_names import served_name
from llmlora.services.warm_models import WarmModels

Json = dict[str, Any]


@dataclass(frozen=True)
class _Facts:
    """What the files of a model say of it."""

    format: str
    family: str
    quantization_level: str
    num_parameters: int
    num_bytes: int
    context_length: int
    license: str = ""
    template: str = ""


def served_models(queue: Queue) -> list[Json]:
    """Return what can be asked, in the shape of `/api/tags`, the newest first."""
    return [_entry(askable) for askable in _askable(queue)]


def running_models(queue: Queue, warm_models: WarmModels) -> list[Json]:
    """Return what is loaded, in the shape of `/api/ps`; models that share a file are listed by themselves."""
    loaded, until = warm_models.loaded(), timedelta(seconds=warm_models.limits.idle_seconds)
    found = [(askable, loaded.get(askable.location.process)) for askable in _askable(queue)]
    expires = {"expires_at": (datetime.now(UTC) + until).isoformat()}
    return [
        {**_entry(askable), "size": size, "size_vram": 0, **expires, "context_length": _facts(askable).context_length}
        for askable, size in found
        if size is not None
    ]


def _askable(queue: Queue) -> list[Askable]:
    found = list_askable(queue)
    read_ahead([("gguf", askable.location.path) for askable in found if askable.location.kind == "gguf"])
    return found


def shown_model(askable: Askable) -> Json:
    """Return what a model is, in the shape of `/api/show`."""
    facts = _facts(askable)
    return {
        "license": facts.license,
        "modelfile": f"FROM {served_name(askable)}\n",
        "parameters": "temperature                    0",
        "template": _template(askable) or facts.template,
        "system": askable.system or "",
        "details": _details(facts),
        "model_info": {
            "general.architecture": facts.family,
            "general.parameter_count": facts.num_parameters,
            f"{facts.family}.context_length": facts.context_length,
        },
        "capabilities": ["completion"],
        "modified_at": _time(askable),
    }


def _entry(askable: Askable) -> Json:
    name, facts = served_name(askable), _facts(askable)
    digest = hashlib.sha256(askable.id.encode()).hexdigest()  # what stands under an id never changes
    size, time = facts.num_bytes, _time(askable)
    return {
        "name": name,
        "model": name,
        "modified_at": time,
        "size": size,
        "digest": digest,
        "details": _details(facts),
    }


def _time(askable: Askable) -> str:
    return askable.created_at or datetime.fromtimestamp(0, UTC).isoformat()


def _details(facts: _Facts) -> Json:
    return {
        "parent_model": "",
        "format": facts.format,
        "family": facts.family,
        "families": [facts.family],
        "parameter_size": f"{facts.num_parameters / 1e6:.1f}M",
        "quantization_level": facts.quantization_level,
    }


def _template(askable: Askable) -> str:
    """Return the template that a job published beside its result, where it has one."""
    location = askable.location
    folder = location.job_dir or location.path
    found = next(iter(sorted(folder.glob(f"*/{TEMPLATE_FILE}"))), None) if folder.is_dir() else None
    return found.read_text(encoding="utf-8") if found is not None else ""


def _facts(askable: Askable) -> _Facts:
    """Return what is known of a model's files; nothing where they are gone or damaged, which who asks it is told."""
    try:
        path = _weights(askable.location)
        return _read_facts(path, path.stat().st_mtime_ns)
    except (LlmloraError, OSError):
        return _Facts("", "", "", 0, 0, 0)


def _weights(location: ModelLocation) -> Path:
    is_job = location.kind in ("job", "job_base")
    return Path(read_job(location.path).base_dir) if is_job else location.path


@lru_cache(maxsize=256)
def _read_facts(path: Path, _changed: int) -> _Facts:
    if path.is_dir():
        folder = read_model_folder(path)
        size = sum(file.stat().st_size for file in folder.weights)
        return _Facts(
            "safetensors", folder.model_type, folder.dtype, folder.num_parameters, size, folder.context_length
        )
    files = read_gguf_files(path)
    family = str(files.metadata["general.architecture"])
    return _Facts(
        "gguf",
        family,
        files.quantization,
        files.num_parameters,
        files.num_bytes,
        int(files.metadata.get(f"{family}.context_length", 0)),
        files.license or "",
        str(files.metadata.get("tokenizer.chat_template", "")),
    )
