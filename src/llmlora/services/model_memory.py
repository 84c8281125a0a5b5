"""How much memory models take: what a loaded one holds, what one will need, what a training job is going to need."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.catalog.model_folder import read_model_folder
from llmlora.core.errors import LlmloraError
from llmlora.core.job import read_job
from llmlora.core.layout import MODEL_DIR
from llmlora.core.memory import BITS_AT_ENDS, FLOAT32_BYTES, least_memory_bytes
from llmlora.services.chat import ModelLocation

LIBRARY_BYTES: Final = {
    "chat": 500 << 20,
    "chat_gguf": 200 << 20,
    "chat_served": 400 << 20,
}  # of a process before it holds a model
ADAPTER_SHARE: Final = 20  # an adapter is rather smaller than this part of its base
TRAINING_BYTES: Final = 1 << 30  # libraries, and activations of a small batch


def resident_bytes(pid: int) -> int:
    """Return the memory that a process holds, 0 when there is none."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def needed_bytes(location: ModelLocation) -> int:
    """Return about what the process of a model will hold; of a broken one what the libraries take."""
    libraries = LIBRARY_BYTES[location.worker_kind]
    try:
        if location.kind in ("gguf", "served"):
            return libraries + location.path.stat().st_size
        return libraries + _base_bytes(_weights(location), _is_quantized(location))
    except (LlmloraError, OSError):  # the worker that loads it will say what is wrong
        return libraries


def training_bytes(job_dir: Path) -> int:
    """Return about what a training job needs: its base as it holds it, what is trained with its moments, libraries."""
    try:
        job = read_job(job_dir)
        number = _num_weights(Path(job.base_dir))
        held = _base_bytes(Path(job.base_dir), job.method == "qlora")
    except (LlmloraError, OSError):  # the job itself will say what is wrong
        return TRAINING_BYTES
    is_full = job.method == "full"
    trained = least_memory_bytes(0, number if is_full else number // ADAPTER_SHARE, job.method)
    return TRAINING_BYTES + trained + (0 if is_full else held)


def _weights(location: ModelLocation) -> Path:
    """Return the folder or file of the weights that a model is loaded from."""
    if location.kind not in ("job", "job_base"):
        return location.path
    job = read_job(location.path)
    is_whole = location.kind == "job" and job.method == "full"
    return location.path / MODEL_DIR if is_whole else Path(job.base_dir)


def _is_quantized(location: ModelLocation) -> bool:
    if location.kind not in ("job", "job_base"):
        return location.kind == "base_4bit"
    return read_job(location.path).method == "qlora"


def _base_bytes(path: Path, is_quantized: bool) -> int:
    """Return about what the weights of a folder or file take: float32, or the blocks that they stay in."""
    if not is_quantized:
        return FLOAT32_BYTES * _num_weights(path)
    return path.stat().st_size if path.is_file() else round(BITS_AT_ENDS / 8 * _num_weights(path))


def _num_weights(path: Path) -> int:
    tensors = read_gguf_header(path).tensors if path.is_file() else read_model_folder(path).tensors
    return sum(tensor.num_elements for tensor in tensors)
