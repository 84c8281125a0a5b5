"""Write a model as a GGUF file in F32, F16 or BF16, streamed: memory for about one tensor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np

from llmlora.core.errors import ExportError
from llmlora.gguf.architectures import architecture_of, check_exportable
from llmlora.gguf.blocks import round_bfloat16
from llmlora.gguf.container import OnProgress, TensorPlan, write_container
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.source import TensorSource
from llmlora.gguf.tokenizer import ChatFormat, name_suffix, tokenizer_fields

FloatType = Literal["F32", "F16", "BF16"]
FILE_TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q8_0": 7, "Q2_K": 10, "Q3_K_M": 12, "Q4_K_S": 14, "Q4_K_M": 15, "Q5_K_M": 17,
    "Q6_K": 18, "BF16": 32,
}  # fmt: skip
QUANTIZATION_VERSION = 2
LARGEST_FLOAT16 = 65_504.0
_CHUNK = 1 << 22  # values converted at once
_NEVER_ROUNDED = ("_norm.weight", "position_embd.weight", "rope_freqs.weight")


def write_gguf(
    source: TensorSource,
    config: Mapping[str, Any],
    tokenizer_dir: Path,
    output: Path,
    file_type: FloatType,
    name: str,
    on_progress: OnProgress | None = None,
    chat: ChatFormat | None = None,
) -> None:
    """Write the model of `source` to `output`; the caller publishes the file.

    `name` is fixed text of ours, never the user's: llama.cpp behaves differently for some names, and gets the one it
    needs for Phi-3's tokens. `chat` says how the trained model is asked, in place of the folder's own template.
    `on_progress` gets bytes done and in total.

    Raises:
        UnsupportedArchitecture, ExportError: the model cannot be expressed exactly, or a weight overflows F16.
        ModelFileError: weights or tokenizer files are unusable.
    """
    check_exportable(config)
    metadata = planned_metadata(config, tokenizer_dir, file_type, name, chat)
    tensors = [_plan(tensor, file_type) for tensor in convert_tensors(source, config)]
    write_container(output, metadata, tensors, on_progress=on_progress)


def planned_metadata(
    config: Mapping[str, Any], tokenizer_dir: Path, quantization: str, name: str, chat: ChatFormat | None = None
) -> dict[str, Any]:
    """Return every key and value that the file of a model has in this quantization; arguments as in `write_gguf`."""
    architecture = architecture_of(config)
    return {
        "general.architecture": architecture.gguf_name,
        "general.type": "model",
        "general.name": name + name_suffix(tokenizer_dir),
        "general.file_type": FILE_TYPES[quantization],
        "general.quantization_version": QUANTIZATION_VERSION,
        **architecture.keys(config),
        **tokenizer_fields(tokenizer_dir, architecture.shape(config).vocab_size, chat),
    }


def foresee_gguf(source: TensorSource, config: Mapping[str, Any], tokenizer_dir: Path) -> tuple[int, int]:
    """Return the context length that a model's file would name, and the model's own; nothing is written.

    Raises:
        UnsupportedArchitecture, ExportError, ModelFileError: what `write_gguf` would refuse, values of weights aside.
    """
    check_exportable(config)
    architecture = architecture_of(config)
    shape = architecture.shape(config)
    tokenizer_fields(tokenizer_dir, shape.vocab_size)
    name_suffix(tokenizer_dir)
    convert_tensors(source, config)
    return architecture.context_length(config), shape.context_length


def is_kept_float32(name: str, num_dimensions: int) -> bool:
    """Tell whether a tensor stays float32 in every file: vectors, norms, positions."""
    return num_dimensions < 2 or name.endswith(_NEVER_ROUNDED) or name.startswith("rope_factors")


def float_type(name: str, num_dimensions: int, file_type: FloatType) -> FloatType:
    """Return the type that a tensor has in a float file."""
    return "F32" if is_kept_float32(name, num_dimensions) else file_type


def _plan(tensor: ConvertedTensor, file_type: FloatType) -> TensorPlan:
    kind = float_type(tensor.name, len(tensor.shape), file_type)
    return TensorPlan(tensor.name, tensor.shape, kind, lambda: encode_float(tensor.name, tensor.read(), kind))


def encode_float(name: str, values: np.ndarray, kind: str) -> Iterator[np.ndarray]:
    """Yield a float32 tensor's values as F32, F16 or BF16 bits; raises ExportError(float16_overflow)."""
    flat = np.ascontiguousarray(values, dtype=np.float32).reshape(-1)
    if kind == "F16":
        largest = float(np.abs(flat).max(initial=0.0))
        if largest > LARGEST_FLOAT16:
            raise ExportError("float16_overflow", name=name, value=f"{largest:.6g}")
    for start in range(0, flat.size, _CHUNK):
        chunk = flat[start : start + _CHUNK]
        yield {"F32": _same, "F16": _float16, "BF16": round_bfloat16}[kind](chunk)


def _same(values: np.ndarray) -> np.ndarray:
    return values


def _float16(values: np.ndarray) -> np.ndarray:
    return values.astype(np.float16)
