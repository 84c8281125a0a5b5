"""How many weights a run would train, from the shapes in the weight files' headers; nothing is loaded."""

from __future__ import annotations

from pathlib import Path

from llmlora.catalog.model_folder import LAYER_NAME, read_model_folder
from llmlora.catalog.safetensors_header import TensorInfo, read_safetensors_header
from llmlora.core.config import TrainConfig
from llmlora.core.reach import LinearLayer, adapted_layers


def num_trained_weights(base_dir: Path, config: TrainConfig) -> int:
    """Return how many weights train, rather too many than too few."""
    tensors = _tensors(base_dir)
    if config.method == "full":
        return sum(tensor.num_elements for tensor in tensors)
    saved = sum(_saved(tensors, name) for name in config.modules_to_save)
    shapes = {_module(tensor): tensor.shape for tensor in tensors}
    adapted = [shapes[layer.name] for layer in adapted_layers(_linear_layers(tensors), config.model_dump())]
    return saved + sum(config.r * sum(shape) + shape[0] for shape in adapted)


def linear_layers(base_dir: Path) -> list[LinearLayer]:
    """Return the layers of a model that an adapter can sit on, the embeddings and the output layer left out."""
    return _linear_layers(_tensors(base_dir))


def _tensors(base_dir: Path) -> list[TensorInfo]:
    files = read_model_folder(base_dir).weights
    return [tensor for path in files for tensor in read_safetensors_header(path).tensors]


def _linear_layers(tensors: list[TensorInfo]) -> list[LinearLayer]:
    return [
        LinearLayer(_module(tensor), int(found.group(1)), tensor.shape[0], tensor.num_elements)
        for tensor in tensors
        if len(tensor.shape) == 2 and (found := LAYER_NAME.search(tensor.name))
    ]


def _saved(tensors: list[TensorInfo], name: str) -> int:
    """Return the weights of the modules of a name; an output layer that shares the input's is not stored by itself."""
    found = [tensor for tensor in tensors if any(part.endswith(name) for part in _module(tensor).split("."))]
    if not found:
        return max((tensor.num_elements for tensor in tensors), default=0)
    return sum(tensor.num_elements for tensor in found)


def _module(tensor: TensorInfo) -> str:
    return tensor.name.removesuffix(".weight").removesuffix(".bias")
