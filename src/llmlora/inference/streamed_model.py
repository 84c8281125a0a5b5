"""A model whose layers are read from disk each time they are used, for models that do not fit into memory.

Accelerate's hooks put the weights of one decoder layer in place before its turn and take them away after it;
embeddings and output projection stay. So the peak is one layer plus those, in float32, whatever the files hold.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from accelerate.hooks import AlignDevicesHook, add_hook_to_module
from accelerate.utils import PrefixedDataset, set_module_tensor_to_device
from peft import PeftModel
from torch import Tensor
from transformers import PreTrainedModel

from llmlora.catalog.safetensors_header import read_safetensors_header
from llmlora.core.layout import ADAPTER_WEIGHTS
from llmlora.engine.load import empty_model
from llmlora.gguf.source import TensorSource, read_float_tensor
from llmlora.weights.base import Base

Model = TypeVar("Model", PreTrainedModel, PeftModel)
# Names under which older files store what transformers now calls otherwise.
FILE_NAMES = {"lm_head.weight": "embed_out.weight"}
PEFT_PREFIX = "base_model.model."
PEFT_PARTS = (".base_layer", ".original_module", ".modules_to_save", ".default")


def load_streamed(base: Base, adapter_dir: Path | None) -> PreTrainedModel | PeftModel:
    """Return a base's model, and the adapter on it if given, in float32 on the CPU with its layers on disk.

    Raises:
        ModelFileError: the base's files are missing or do not fit the architecture.
        OSError, ValueError, RuntimeError, KeyError, TypeError: the adapter does not load.
    """
    empty = empty_model(base)
    empty.tie_weights()
    _place_ends(empty, _Weights(empty, base.source, None))
    empty.tie_weights()
    if adapter_dir is None:
        return _with_hooks(empty, empty, _Weights(empty, base.source, None))
    model = _with_adapter(empty, adapter_dir)
    return _with_hooks(model, empty, _Weights(model, base.source, adapter_dir))


def _layers(model: torch.nn.Module, base: PreTrainedModel) -> dict[str, torch.nn.Module]:
    """Return the decoder layers by name: what transformers says must never be split."""
    classes = set(base._no_split_modules or ())
    return {name: module for name, module in model.named_modules() if type(module).__name__ in classes}


def _place_ends(base: PreTrainedModel, weights: Mapping[str, Tensor]) -> None:
    """Load what is outside the layers for good: it is used by every token, and PEFT copies and shares some of it."""
    prefixes = tuple(f"{name}." for name in _layers(base, base))
    for name in [name for name, _ in base.named_parameters()]:
        if not name.startswith(prefixes):
            set_module_tensor_to_device(base, name, "cpu", value=weights[name])


def _with_hooks(model: Model, base: PreTrainedModel, weights: Mapping[str, Tensor]) -> Model:
    for name, layer in _layers(model, base).items():
        hook = AlignDevicesHook(
            execution_device="cpu",
            offload=True,
            weights_map=PrefixedDataset(weights, f"{name}."),
            place_submodules=True,
        )
        add_hook_to_module(layer, hook)
    return model


def _with_adapter(base: PreTrainedModel, adapter_dir: Path) -> PeftModel:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about weights that are not in memory, as they are not meant to be
        return PeftModel.from_pretrained(base, str(adapter_dir), is_trainable=False, low_cpu_mem_usage=True)


class _Weights(Mapping[str, Tensor]):
    """Every parameter of a model by name, read from the files of base and adapter as float32 when it is asked for."""

    def __init__(self, model: torch.nn.Module, source: TensorSource, adapter_dir: Path | None) -> None:
        self._source = source
        self._stored = source.names()
        self._names = [name for name, _ in model.named_parameters(remove_duplicate=False)]
        self._adapter_path = adapter_dir / ADAPTER_WEIGHTS if adapter_dir else None
        self._adapter = read_safetensors_header(self._adapter_path) if self._adapter_path else None
        infos = self._adapter.tensors if self._adapter else ()
        self._adapter_tensors = {plain_name(info.name): info for info in infos}

    def __getitem__(self, name: str) -> Tensor:
        info = None if ".original_module." in name else self._adapter_tensors.get(plain_name(name))
        if info is not None and self._adapter is not None and self._adapter_path is not None:
            return torch.from_numpy(read_float_tensor(self._adapter_path, self._adapter.data_offset, info))
        return torch.from_numpy(self._source.read(stored_name(plain_name(name), self._stored)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def plain_name(name: str) -> str:
    """Return a parameter's name without what PEFT adds to it in a model or a file, so that the two can be matched."""
    for part in PEFT_PARTS:
        name = name.replace(part, "")
    return name.removeprefix(PEFT_PREFIX).replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def stored_name(name: str, stored: list[str]) -> str:
    """Return the name of a module's weight in the base's files, which may lack or have the model's prefix."""
    if name in stored:
        return name
    if FILE_NAMES.get(name) in stored:
        return FILE_NAMES[name]
    without_prefix = name.partition(".")[2]
    if without_prefix in stored:
        return without_prefix
    return next((other for other in stored if other.partition(".")[2] == name), "")
