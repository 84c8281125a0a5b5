"""Worker kind `inspect`: read what strangers wrote, data files and headers of models, under hard limits.

Only `data` and `catalog` are loaded, so that it starts at once and a limit on memory can be small.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmlora.catalog.gguf_header import MAGIC, read_gguf_header
from llmlora.catalog.model_folder import read_model_folder, readable
from llmlora.catalog.safetensors_header import read_safetensors_header
from llmlora.core.events import EventWriter
from llmlora.worker.data_tasks import DATA_TASKS
from llmlora.worker.frame import StopFlag
from llmlora.worker.limits import Limits, limit_process

Task = Callable[[dict[str, Any]], dict[str, Any]]


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Do the task that the configuration names: one of `DATA_TASKS`, or `headers`."""
    stop.ends_at_once = True  # nothing of it is worth saving
    limit_process(Limits(**config["limits"]))
    return TASKS[config["task"]](config)


def _headers(config: dict[str, Any]) -> dict[str, Any]:
    """Describe a model folder, or a weight file by its header."""
    path = Path(config["path"])
    if path.is_dir():
        return _folder(path)
    with readable(path), path.open("rb") as stream:
        is_gguf = stream.read(len(MAGIC)) == MAGIC
    return _gguf(path) if is_gguf else _safetensors(path)


def _folder(path: Path) -> dict[str, Any]:
    folder = read_model_folder(path)
    names = ("architecture", "model_type", "num_parameters", "context_length", "vocab_size", "dtype")
    files = [file.name for file in folder.weights]
    return {"format": "folder", **{name: getattr(folder, name) for name in names}, "weights": files}


def _safetensors(path: Path) -> dict[str, Any]:
    header = read_safetensors_header(path)
    tensors = [{"name": item.name, "dtype": item.dtype, "shape": list(item.shape)} for item in header.tensors]
    return {
        "format": "safetensors",
        "num_parameters": header.num_elements,
        "metadata": header.metadata,
        "tensors": tensors,
    }


def _gguf(path: Path) -> dict[str, Any]:
    """Describe a GGUF file; of the lists in its metadata, which may be whole vocabularies, only the length is told."""
    header = read_gguf_header(path)
    tensors = [{"name": item.name, "dtype": item.ggml_type, "shape": list(item.shape)} for item in header.tensors]
    metadata = {
        key: {"num_elements": len(value)} if isinstance(value, list) else value
        for key, value in header.metadata.items()
    }
    return {"format": "gguf", "version": header.version, "metadata": metadata, "tensors": tensors}


TASKS: dict[str, Task] = {**DATA_TASKS, "headers": _headers}
