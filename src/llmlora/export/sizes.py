"""How large the files of an export will be, known before any is written, and whether the disk holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llmlora.catalog.gguf_header import DEFAULT_ALIGNMENT, GgufHeader, GgufTensor
from llmlora.catalog.safetensors_header import read_safetensors_header
from llmlora.core.errors import DiskFull
from llmlora.core.layout import ADAPTER_WEIGHTS, TOKENIZER_FILE
from llmlora.core.machine import disk_room
from llmlora.gguf.architectures import architecture_of
from llmlora.gguf.container import VERSION
from llmlora.gguf.conversion import convert_tensors
from llmlora.gguf.quantize import estimate_size
from llmlora.gguf.source import TensorSource
from llmlora.gguf.writer import float_type

HEADER_BYTES = 1 << 16  # what a header holds beside the vocabulary


def planned_header(source: TensorSource, config: Mapping[str, Any], tokenizer_dir: Path) -> GgufHeader:
    """Return the header that an F16 file of the model will have, as far as sizes and types depend on it."""
    architecture = architecture_of(config)
    metadata = {"general.architecture": architecture.gguf_name, **architecture.keys(config)}
    tensors = [
        GgufTensor(tensor.name, tensor.shape, float_type(tensor.name, len(tensor.shape), "F16"), 0, 0)
        for tensor in convert_tensors(source, config)
    ]
    vocabulary = (tokenizer_dir / TOKENIZER_FILE).stat().st_size
    return GgufHeader(VERSION, metadata, {}, tuple(tensors), DEFAULT_ALIGNMENT, vocabulary + HEADER_BYTES)


def model_sizes(header: GgufHeader, quantizations: Sequence[str]) -> dict[str, int]:
    """Return the bytes of a GGUF file of each quantization; the header is guessed."""
    return {name: estimate_size(header, name) for name in quantizations}


def adapter_size(adapter_dir: Path) -> int:
    """Return the bytes of an adapter's GGUF file, which is in float32."""
    header = read_safetensors_header(adapter_dir / ADAPTER_WEIGHTS)
    return HEADER_BYTES + sum(4 * info.num_elements for info in header.tensors)


def check_room(output: Path, needed: int, code: str = "disk_would_fill") -> None:
    """Raise DiskFull with the numbers when `needed` bytes would not leave the reserve free."""
    free, reserve = disk_room(output)
    if needed + reserve > free:
        raise DiskFull(
            code,
            path=str(output),
            needed_bytes=needed,
            reserve_bytes=reserve,
            free_bytes=free,
        )
