"""A model's tensors as a GGUF file has them: names, order, arrangement and number format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmlora.core.errors import ExportError
from llmlora.gguf.architecture import Architecture
from llmlora.gguf.architectures import architecture_of
from llmlora.gguf.model_shape import ModelShape
from llmlora.gguf.source import TensorSource

EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"


@dataclass(frozen=True)
class ConvertedTensor:
    """One tensor of the file: its GGUF name, its shape there (outermost first), and how to get its float32 values.

    `source_name` is the Hugging Face tensor it is made of; empty for one that is computed.
    """

    name: str
    shape: tuple[int, ...]
    read: Callable[[], np.ndarray]
    source_name: str = ""


def convert_tensors(source: TensorSource, config: Mapping[str, Any]) -> list[ConvertedTensor]:
    """Return every tensor of the GGUF file in order; nothing is read before its `read` is called.

    Raises:
        ExportError: a tensor without a GGUF name, one that is missing or there twice, or a shared output projection
            that differs from the embedding.
    """
    architecture = architecture_of(config)
    shape = architecture.shape(config)
    gguf_name = architecture.tensor_namer(config)
    named = {name: gguf_name(name) for name in source.names()}
    weights = {name: new for name, new in named.items() if new is not None}
    repeated = sorted(new for new, count in Counter(weights.values()).items() if count > 1)
    if repeated:
        raise ExportError("duplicate_tensor", name=", ".join(repeated[:5]))
    by_new = {new: name for name, new in weights.items()}
    _settle_output(by_new, source, architecture, shape)
    _check_complete(by_new, architecture, shape)
    tensors = [_converted(new, name, source, architecture, shape) for new, name in by_new.items()]
    extra = architecture.extra_tensors(config)
    return [*(_computed(name, values) for name, values in extra.items()), *tensors]


def converted_from(
    tensors: Sequence[ConvertedTensor], source: TensorSource, config: Mapping[str, Any]
) -> dict[str, ConvertedTensor]:
    """Return the same tensors, by GGUF name, made of another source that has their Hugging Face names."""
    architecture = architecture_of(config)
    shape = architecture.shape(config)
    return {tensor.name: _converted(tensor.name, tensor.source_name, source, architecture, shape) for tensor in tensors}


def _settle_output(by_new: dict[str, str], source: TensorSource, architecture: Architecture, shape: ModelShape) -> None:
    """Drop a stored copy of a shared embedding; add one where llama.cpp demands its own output projection."""
    if EMBEDDING not in by_new:
        raise ExportError("missing_tensor", name=EMBEDDING)
    if OUTPUT in by_new and shape.is_tied:
        if not np.array_equal(source.read(by_new[OUTPUT]), source.read(by_new[EMBEDDING])):
            raise ExportError("tied_output_differs", name=by_new[OUTPUT])
        del by_new[OUTPUT]
    if OUTPUT not in by_new and not shape.is_tied:
        raise ExportError("missing_tensor", name=OUTPUT)
    if OUTPUT not in by_new and architecture.needs_output:
        by_new[OUTPUT] = by_new[EMBEDDING]


def _check_complete(by_new: Mapping[str, str], architecture: Architecture, shape: ModelShape) -> None:
    """Every layer must have what the first one has, and every weight matrix rows and columns that fit."""
    first = {name.removeprefix("blk.0.") for name in by_new if name.startswith("blk.0.")}
    if not first or "output_norm.weight" not in by_new:
        raise ExportError("missing_tensor", name="blk.0" if not first else "output_norm.weight")
    for layer in range(shape.num_layers):
        missing = sorted(name for name in first if f"blk.{layer}.{name}" not in by_new)
        if missing:
            raise ExportError("missing_tensor", name=f"blk.{layer}.{missing[0]}")


def _converted(
    new: str, name: str, source: TensorSource, architecture: Architecture, shape: ModelShape
) -> ConvertedTensor:
    def read() -> np.ndarray:
        return architecture.convert(name, source.read(name), shape)

    stored = source.shape(name)
    return ConvertedTensor(new, stored[::-1] if architecture.is_transposed(name) else stored, read, name)


def _computed(name: str, values: np.ndarray) -> ConvertedTensor:
    return ConvertedTensor(name, values.shape, lambda: values)
