"""Weights that train are float32, in a model of 16-bit numbers too: its rounding would swallow small updates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import PeftConfig, PeftModel, set_peft_model_state_dict
from peft.utils.constants import EMBEDDING_LAYER_NAMES
from safetensors.torch import load_file
from torch import nn

from llmlora.core.layout import ADAPTER_WEIGHTS
from llmlora.engine.quantized_weight import unpack


def load_adapter(model: nn.Module, folder: Path, adapter: PeftConfig | None = None) -> PeftModel:
    """Return the model with an adapter from disk, ready to train; what the adapter holds is float32, as it was trained.

    PEFT reads modules_to_save and biases into the number format of the base, so they are read again.
    """
    adapter = adapter or PeftConfig.from_pretrained(str(folder))
    unpack_ends(model, adapter)
    tuned = PeftModel.from_pretrained(model, folder, is_trainable=True, local_files_only=True, config=adapter)
    if not trains_in_float32(tuned):
        train_in_float32(tuned)
        set_peft_model_state_dict(tuned, load_file(folder / ADAPTER_WEIGHTS))
    return tuned


def unpack_ends(model: Any, adapter: PeftConfig) -> None:
    """Unpack a quantised embedding and output layer where an adapter sits on them: PEFT saves them with it."""
    if not set(EMBEDDING_LAYER_NAMES).isdisjoint(getattr(adapter, "target_modules", None) or ()):
        unpack(model.get_input_embeddings(), model.get_output_embeddings())


def train_in_float32(model: nn.Module) -> None:
    """Make every weight that trains float32; the layer that owns it computes in float32 and answers as it was asked.

    PEFT does so for the matrices of an adapter, not for modules_to_save and not for biases. The frozen weights keep
    their numbers, so what a layer computes before the first step differs by rounding alone.
    """
    short = ((module, weight) for module in model.modules() for weight in _own_trained(module) if _is_short(weight))
    for layer, own in {module: weight.dtype for module, weight in short}.items():  # all found before any is changed
        for weight in layer.parameters(recurse=False):
            if weight.is_floating_point():
                weight.data = weight.data.float()
        _compute_in_float32(layer, own)


def trains_in_float32(model: nn.Module) -> bool:
    """Tell whether every weight that trains is float32."""
    return all(weight.dtype is torch.float32 for weight in model.parameters() if weight.requires_grad)


def _own_trained(module: nn.Module) -> Iterator[nn.Parameter]:
    return (weight for weight in module.parameters(recurse=False) if weight.requires_grad)


def _is_short(weight: torch.Tensor) -> bool:
    return weight.is_floating_point() and weight.dtype is not torch.float32


def _compute_in_float32(layer: nn.Module, own: torch.dtype) -> None:
    """Give a layer its inputs in float32, and its output in the format they had, `own` when they are token ids."""
    forward: Any = layer.forward

    def computed(*inputs: Any, **options: Any) -> Any:
        asked = next((value.dtype for value in inputs if _is_float(value)), own)
        return _as_format(forward(*(_as_format(value, torch.float32) for value in inputs), **options), asked)

    layer.forward = computed


def _is_float(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.is_floating_point()


def _as_format(value: Any, dtype: torch.dtype) -> Any:
    if isinstance(value, tuple):
        return tuple(_as_format(item, dtype) for item in value)
    return value.to(dtype) if _is_float(value) else value
