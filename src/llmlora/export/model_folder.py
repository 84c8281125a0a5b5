"""Write a Hugging Face model folder from a stream of tensors: safetensors shards, configuration, tokenizer, card."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.core.errors import ConfigError, ExportError
from llmlora.core.layout import GENERATION_FILE, MODEL_INDEX, MODEL_WEIGHTS, TEMPLATE_FILE, TOKENIZER_FILES
from llmlora.core.publish import read_json, write_json, write_text
from llmlora.export.card import merged_card
from llmlora.gguf.blocks import round_bfloat16, widen_bfloat16
from llmlora.gguf.source import TensorSource
from llmlora.inference.trained_job import TrainedJob
from llmlora.prepare.asking import with_turn_end
from llmlora.prepare.template import load_template
from llmlora.weights.base import Base

SHARD_BYTES = 5_000_000_000
STORED_NAMES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
DTYPES = {stored: dtype for dtype, stored in STORED_NAMES.items()}
LARGEST_FLOAT16 = 65504.0
OnProgress = Callable[[int, int], None]


def model_dtype(base: Base) -> str:
    """Return the number format of a model: what its configuration says, else that of its first tensor."""
    named = str(base.config.get("dtype") or base.config.get("torch_dtype") or "").removeprefix("torch.")
    if named in STORED_NAMES:
        return named
    first = next(iter(base.source.names()), None)
    return "float32" if first is None else DTYPES.get(base.source.dtype(first), "float32")


def write_model_folder(
    source: TensorSource, config: dict[str, Any], folder: Path, dtype: str, on_progress: OnProgress | None = None
) -> dict[str, Any]:
    """Write weights (shards of at most 5 GB) and `config.json`; return number, size and rounding of the weights."""
    if dtype not in STORED_NAMES:
        raise ConfigError("unknown_dtype", dtype=dtype, known=", ".join(STORED_NAMES))
    names = source.names()
    shards = plan_shards(source, names, item_size(dtype))
    progress = _Progress(len(names), on_progress)
    weight_map: dict[str, str] = {}
    for number, shard in enumerate(shards, start=1):
        numbered = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        path = folder / (numbered if len(shards) > 1 else MODEL_WEIGHTS)
        _write_shard(path, source, shard, dtype, progress)
        weight_map |= dict.fromkeys(shard, path.name)
    size = sum(_num_bytes(source, name, item_size(dtype)) for name in names)
    if len(shards) > 1:
        write_json(folder / MODEL_INDEX, {"metadata": {"total_size": size}, "weight_map": weight_map})
    kept = {name: value for name, value in config.items() if name != "torch_dtype"}
    write_json(folder / "config.json", {**kept, "dtype": dtype})
    return {"num_tensors": len(names), "size_bytes": size, "max_abs_error": progress.max_abs_error}


@dataclass
class _Progress:
    """What was written so far: number of tensors, and the largest rounding of a weight."""

    total: int
    on_progress: OnProgress | None
    num_done: int = 0
    max_abs_error: float = 0.0

    def add(self, error: float) -> None:
        self.num_done += 1
        self.max_abs_error = max(self.max_abs_error, error)
        if self.on_progress:
            self.on_progress(self.num_done, self.total)


def _write_shard(path: Path, source: TensorSource, names: list[str], dtype: str, progress: _Progress) -> None:
    with path.open("wb") as stream:
        _write_header(stream, source, names, dtype)
        for name in names:
            progress.add(_write_tensor(stream, name, source.read(name), dtype))


def plan_shards(source: TensorSource, names: list[str], item_size: int, limit: int = SHARD_BYTES) -> list[list[str]]:
    """Cut the tensor names into files of at most `limit` bytes, in order; a larger tensor gets a file of its own."""
    shards: list[list[str]] = [[]]
    filled = 0
    for name in names:
        size = _num_bytes(source, name, item_size)
        if shards[-1] and filled + size > limit:
            shards.append([])
            filled = 0
        shards[-1].append(name)
        filled += size
    return shards


def copy_companions(trained: TrainedJob, folder: Path) -> None:
    """Copy tokenizer, chat template and generation settings, and write the model card."""
    copy_tokenizer(trained.result_dir, folder)
    _write_generation(trained, folder)
    write_text(folder / "README.md", merged_card(trained.job))


def _write_generation(trained: TrainedJob, folder: Path) -> None:
    """Write the base's generation settings, with the token that trained answers end with among the end tokens."""
    path = trained.weights.tokenizer_dir / GENERATION_FILE
    settings = read_json(path) if path.is_file() else {}
    stated = settings.get("eos_token_id", trained.model_config.get("eos_token_id"))
    ends = with_turn_end(stated, load_template(trained.result_dir).turn_end_id)
    if path.is_file() and ends == stated:
        shutil.copyfile(path, folder / path.name)
    else:
        write_json(folder / path.name, {**settings, "eos_token_id": ends})


def copy_tokenizer(source: Path, folder: Path) -> None:
    """Copy the tokenizer files and the chat template of a model or adapter folder."""
    for name in (*TOKENIZER_FILES, TEMPLATE_FILE):
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)


def rounded(values: np.ndarray, dtype: str) -> tuple[np.ndarray, np.ndarray]:
    """Return `values` (float32) in the stored form of `dtype`, and what that form is worth as float32."""
    if dtype == "float32":
        return values, values
    if dtype == "float16":
        half = values.astype(np.float16)
        return half, half.astype(np.float32)
    stored = round_bfloat16(values)
    return stored, widen_bfloat16(stored)


def _write_tensor(stream: BufferedWriter, name: str, values: np.ndarray, dtype: str) -> float:
    values = np.ascontiguousarray(values, dtype=np.float32)
    largest = float(np.abs(values).max(initial=0.0))
    if dtype == "float16" and largest > LARGEST_FLOAT16:
        raise ExportError("dtype_overflow", name=name, value=largest, dtype=dtype)
    stored, worth = rounded(values, dtype)
    stream.write(stored.tobytes())
    return float(np.abs(values - worth).max(initial=0.0))


def _write_header(stream: BufferedWriter, source: TensorSource, names: list[str], dtype: str) -> None:
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name in names:
        end = offset + _num_bytes(source, name, item_size(dtype))
        header[name] = {"dtype": STORED_NAMES[dtype], "shape": list(source.shape(name)), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    stream.write(len(text).to_bytes(8, "little") + text)


def item_size(dtype: str) -> int:
    """Return the bytes of one number."""
    return 4 if dtype == "float32" else 2


def _num_bytes(source: TensorSource, name: str, item_size: int) -> int:
    return int(np.prod(source.shape(name), dtype=np.int64)) * item_size
