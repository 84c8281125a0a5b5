"""How many weights a run would train, from the shapes in the weight files' headers; nothing is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmlora.catalog.model_folder import LAYER_NAME
from llmlora.catalog.safetensors_header import TensorInfo
from llmlora.core.config import TrainConfig
from llmlora.core.reach import LinearLayer, adapted_layers


@dataclass(frozen=True)
class TrainedSize:
    """What a run trains: its weights, those that the same run would train with an adapter, and the model's layers."""

    num_trained: int
    num_with_adapter: int
    layers: tuple[LinearLayer, ...]


def trained_size(tensors: Sequence[TensorInfo], config: TrainConfig) -> TrainedSize:
    """Return what a run trains of the weights of a model, rather too much than too little."""
    layers = tuple(linear_layers(tensors))
    saved = sum(_saved(tensors, name) for name in config.modules_to_save)
    shapes = {_module(tensor): tensor.shape for tensor in tensors}
    adapted = [shapes[layer.name] for layer in adapted_layers(layers, config.model_dump())]
    num_with_adapter = saved + sum(config.r * sum(shape) + shape[0] for shape in adapted)
    num_all = sum(tensor.num_elements for tensor in tensors)
    return TrainedSize(num_all if config.method == "full" else num_with_adapter, num_with_adapter, layers)


def linear_layers(tensors: Sequence[TensorInfo]) -> list[LinearLayer]:
    """Return the layers of a model that an adapter can sit on, the embeddings and the output layer left out."""
    return [
        LinearLayer(_module(tensor), int(found.group(1)), tensor.shape[0], tensor.num_elements)
        for tensor in tensors
        if len(tensor.shape) == 2 and (found := LAYER_NAME.search(tensor.name))
    ]


def _saved(tensors: Sequence[TensorInfo], name: str) -> int:
    """Return the weights of the modules of a name; an output layer that shares the input's is not stored by itself."""
    found = [tensor for tensor in tensors if any(part.endswith(name) for part in _module(tensor).split("."))]
    if not found:
        return max((tensor.num_elements for tensor in tensors), default=0)
    return sum(tensor.num_elements for tensor in found)


def _module(tensor: TensorInfo) -> str:
    return tensor.name.removesuffix(".weight").removesuffix(".bias")
