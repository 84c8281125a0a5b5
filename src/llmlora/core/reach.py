"""How far one step of training can move a model: what rank, scale and layers of an adapter leave of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llmlora.core.lora import lora_scaling

REFERENCE_RANK: Final = 8
REFERENCE_SCALE: Final = 2.0
# The settings of an adapter that moves as much as the reference.
REFERENCE: Final[dict[str, Any]] = {
    "r": REFERENCE_RANK,
    "lora_alpha": round(REFERENCE_SCALE * REFERENCE_RANK),
    "target_modules": "all-linear",
}


@dataclass(frozen=True, slots=True)
class LinearLayer:
    """A layer that an adapter can sit on: full name, number of its block, how many numbers it gives out and weights."""

    name: str
    block: int
    num_outputs: int
    num_weights: int


def adapted_layers(layers: Sequence[LinearLayer], values: Mapping[str, Any]) -> list[LinearLayer]:
    """Return the layers that settings put an adapter on.

    Targets that no name carries (an architecture fuses them under another name) count as all layers.
    """
    blocks, targets = values.get("layers"), values.get("target_modules", "all-linear")
    inside = [layer for layer in layers if blocks is None or layer.block in blocks]
    if targets == "all-linear":
        return inside
    return [layer for layer in inside if layer.name.endswith(tuple(targets))] or inside


def adapter_moves(layers: Sequence[LinearLayer], values: Mapping[str, Any]) -> float:
    """Return how much one step can move, in learning rates: scale x rank, summed over the outputs of adapted layers.

    AdamW moves each number of B by about the learning rate, whatever the gradient's size, and the numbers in A x are of
    the same size for every width, so an adapted output moves by scale x rank x rate.
    """
    return _scale_and_rank(values) * sum(layer.num_outputs for layer in adapted_layers(layers, values))


def adapter_reach(layers: Sequence[LinearLayer], values: Mapping[str, Any]) -> float:
    """Return what an adapter moves as a part of what the reference moves: rank 8 and scale 2 on all linear layers.

    Without `layers` every target counts as all of them.
    """
    total = sum(layer.num_outputs for layer in layers)
    reach = _scale_and_rank(values) / (REFERENCE_SCALE * REFERENCE_RANK)
    return reach * sum(layer.num_outputs for layer in adapted_layers(layers, values)) / total if total else reach


def _scale_and_rank(values: Mapping[str, Any]) -> float:
    rank = float(values["r"])
    return lora_scaling(float(values["lora_alpha"]), rank, bool(values.get("use_rslora"))) * rank
