"""A PEFT LoRA adapter as a GGUF adapter, to be loaded beside the base model's file.

llama.cpp applies user scale x alpha / rank to B A x, with one alpha for the file and each tensor's own rank. PEFT's
scaling differs per module (rsLoRA, alpha and rank patterns), so what is left of it goes into B.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.model_folder import read_json_object
from llmlora.catalog.safetensors_header import SafetensorsHeader, TensorInfo, read_safetensors_header
from llmlora.core.diverged import not_finite
from llmlora.core.errors import ExportError, ModelFileError
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from llmlora.core.lora import lora_scaling, merge_reason
from llmlora.gguf.architecture import Architecture
from llmlora.gguf.architectures import architecture_of, check_exportable
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.conversion import OUTPUT
from llmlora.gguf.model_shape import ModelShape
from llmlora.gguf.source import read_float_tensor
from llmlora.gguf.writer import FILE_TYPES, QUANTIZATION_VERSION, encode_float

_PREFIX = "base_model.model."
_TENSOR = re.compile(r"(?P<module>.+)\.lora_(?P<side>[AB])\.weight$")
Json = Mapping[str, Any]


@dataclass(frozen=True)
class _Pair:
    """A and B of one module, as entries of the adapter's file."""

    module: str
    a: TensorInfo
    b: TensorInfo

    @property
    def rank(self) -> int:
        return self.a.shape[0]


def write_lora_gguf(adapter_dir: Path, base_config: Json, output: Path) -> None:
    """Write an adapter folder as a float32 GGUF adapter; the caller publishes the file.

    Raises:
        ExportError: `adapter_needs_merge` with a reason, for adapters that are more than low-rank changes.
        UnsupportedArchitecture: the base has no GGUF mapping.
        ModelFileError: the folder's files are unusable.
    """
    check_exportable(base_config)
    architecture = architecture_of(base_config)
    config = read_json_object(adapter_dir / ADAPTER_CONFIG)
    check_adapter(config)
    path = adapter_dir / ADAPTER_WEIGHTS
    header = read_safetensors_header(path)
    pairs = _pairs(header, path)
    alpha = _file_alpha(config)
    shape = architecture.shape(base_config)
    namer = architecture.tensor_namer(base_config)
    plans: list[TensorPlan] = []
    for pair in pairs:
        weight = f"{pair.module}.weight"
        name = namer(weight)
        if name is None or (name == OUTPUT and shape.is_tied):
            raise _needs_merge(f"{pair.module}, tie_word_embeddings")
        factor = module_scaling(config, pair.module, pair.rank) * pair.rank / alpha
        tensors = _Tensors(path, header.data_offset, architecture, shape)
        plans += tensors.plans(name, weight, pair, factor)
    metadata = {
        "general.type": "adapter",
        "general.architecture": architecture.gguf_name,
        "general.file_type": FILE_TYPES["F32"],
        "general.quantization_version": QUANTIZATION_VERSION,
        "adapter.type": "lora",
        "adapter.lora.alpha": alpha,
    }
    write_container(output, metadata, plans)


def check_adapter(config: Json) -> None:
    """Raise ExportError(adapter_needs_merge) for settings that a GGUF adapter cannot express."""
    reason = merge_reason(config)
    if reason is not None:
        raise _needs_merge(reason)


def module_scaling(config: Json, module: str, rank: int) -> float:
    """Return what PEFT multiplies B A x with in one module, whose alpha may be its own."""
    alpha = float(_by_pattern(config.get("alpha_pattern"), module, config.get("lora_alpha", 8)))
    return lora_scaling(alpha, rank, bool(config.get("use_rslora")))


def _by_pattern(patterns: Any, module: str, default: Any) -> Any:
    """Return the value of the first pattern that is the module's name or the end of it, as PEFT matches them."""
    for pattern, value in (patterns or {}).items():
        if re.match(rf"(.*\.)?({pattern})$", module):
            return value
    return default


def _file_alpha(config: Json) -> float:
    """Return the alpha to write: never zero, which llama.cpp reads as a scaling of one."""
    alpha = float(config.get("lora_alpha", 8))
    return alpha if alpha > 0 else 1.0


def _needs_merge(reason: str) -> ExportError:
    return ExportError("adapter_needs_merge", reason=reason)


def _pairs(header: SafetensorsHeader, path: Path) -> list[_Pair]:
    sides: dict[str, dict[str, TensorInfo]] = {}
    for info in header.tensors:
        match = _TENSOR.fullmatch(info.name)
        if match is None or not info.name.startswith(_PREFIX):
            raise _needs_merge(info.name)
        sides.setdefault(match["module"].removeprefix(_PREFIX), {})[match["side"]] = info
    pairs = []
    for module, found in sides.items():
        if set(found) != {"A", "B"} or any(len(info.shape) != 2 for info in found.values()):
            raise ModelFileError("adapter_tensors_invalid", path=str(path), name=module)
        pair = _Pair(module, found["A"], found["B"])
        if pair.b.shape[1] != pair.rank:
            raise ModelFileError("adapter_tensors_invalid", path=str(path), name=module)
        pairs.append(pair)
    if not pairs:
        raise ModelFileError("adapter_tensors_invalid", path=str(path), name="-")
    return pairs


class _Tensors:
    """Reads A and B of one adapter file and brings B's rows into the order of the base's file."""

    def __init__(self, path: Path, data_offset: int, architecture: Architecture, shape: ModelShape) -> None:
        self._path = path
        self._data_offset = data_offset
        self._architecture = architecture
        self._shape = shape

    def plans(self, name: str, weight: str, pair: _Pair, factor: float) -> list[TensorPlan]:
        """Return the two tensors of a module; B carries what file alpha and rank do not say."""

        def a() -> np.ndarray:
            return self._read(pair.a)

        def b() -> np.ndarray:
            return self._architecture.rearrange_rows(weight, self._read(pair.b) * np.float32(factor), self._shape)

        return [
            TensorPlan(f"{name}.lora_a", pair.a.shape, "F32", lambda: encode_float(name, a(), "F32")),
            TensorPlan(f"{name}.lora_b", pair.b.shape, "F32", lambda: encode_float(name, b(), "F32")),
        ]

    def _read(self, info: TensorInfo) -> np.ndarray:
        values = read_float_tensor(self._path, self._data_offset, info)
        if not np.isfinite(values).all():
            raise not_finite(self._path.parent, info.name)
        return values
