"""How many weights a run would train, from the shapes in the weight files' headers; nothing is loaded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from llmlora.catalog.model_folder import LAYER_NAME, read_model_folder
from llmlora.catalog.safetensors_header import TensorInfo, read_safetensors_header
from llmlora.core.config import TrainConfig


def num_trained_weights(base_dir: Path, config: TrainConfig) -> int:
    """Return how many weights train, rather too many than too few.

    Targets that no stored name carries (an architecture fuses them under another name) count as all linear layers.
    """
    tensors = [
        tensor for path in read_model_folder(base_dir).weights for tensor in read_safetensors_header(path).tensors
    ]
    if config.method == "full":
        return sum(tensor.num_elements for tensor in tensors)
    saved = sum(_saved(tensors, name) for name in config.modules_to_save)
    return saved + sum(config.r * sum(tensor.shape) + tensor.shape[0] for tensor in _adapted(tensors, config))


def _saved(tensors: list[TensorInfo], name: str) -> int:
    """Return the weights of the modules of a name; an output layer that shares the input's is not stored by itself."""
    found = [tensor for tensor in tensors if any(part.endswith(name) for part in _module(tensor).split("."))]
    if not found:
        return max((tensor.num_elements for tensor in tensors), default=0)
    return sum(tensor.num_elements for tensor in found)


def _adapted(tensors: list[TensorInfo], config: TrainConfig) -> Iterable[TensorInfo]:
    linear = [tensor for tensor in tensors if len(tensor.shape) == 2 and LAYER_NAME.search(tensor.name)]
    if config.layers is not None:
        linear = [
            tensor
            for tensor in linear
            if (found := LAYER_NAME.search(tensor.name)) and int(found.group(1)) in config.layers
        ]
    named = [tensor for tensor in linear if _module(tensor).endswith(tuple(config.target_modules))]
    return linear if config.target_modules == "all-linear" or not named else named


def _module(tensor: TensorInfo) -> str:
    return tensor.name.removesuffix(".weight").removesuffix(".bias")
