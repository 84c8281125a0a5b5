"""Several adapters of one base as one: PEFT does the arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel
from peft.tuners.lora import LoraLayer

from llmlora.core.job import Combination
from llmlora.engine.load import load_base
from llmlora.weights.base import Base

RESULT = "default"  # the name under which PEFT saves an adapter without a folder of its own


def combine_adapters(base: Base, folders: Sequence[Path], combination: Combination, seed: int) -> PeftModel:
    """Return the base in float32 with the combination of the adapters in `folders` as its only active adapter.

    Its lora_alpha is its rank, so nothing scales it any more. `seed` decides which numbers the dare methods drop.
    """
    names = [f"member_{number}" for number in range(len(folders))]
    model = PeftModel.from_pretrained(load_base(base, "float32"), folders[0], adapter_name=names[0])
    for name, folder in zip(names[1:], folders[1:], strict=True):
        model.load_adapter(folder, adapter_name=name)
    # PEFT folds each member's scaling in, and would apply the rank-stabilised one of the first to the result again.
    first = model.peft_config[names[0]]
    assert isinstance(first, LoraConfig)
    first.use_rslora = False
    torch.manual_seed(seed)
    model.base_model.add_weighted_adapter(
        names,
        list(combination.weights),
        RESULT,
        combination_type=combination.method,
        svd_full_matrices=False,
        density=combination.density,
    )
    model.set_adapter(RESULT)
    return model


@torch.no_grad()
def distance_from_sum(model: PeftModel, weights: Sequence[float]) -> float:
    """Return how far a combination is from the weighted sum of its members' updates, as a share of that sum (norms)."""
    missed = total = 0.0
    for layer in model.modules():
        if isinstance(layer, LoraLayer):
            wanted = sum(
                weight * layer.get_delta_weight(f"member_{number}").double()
                for number, weight in enumerate(weights)
                if f"member_{number}" in layer.scaling
            )
            assert isinstance(wanted, torch.Tensor)
            missed += float((layer.get_delta_weight(RESULT).double() - wanted).square().sum())
            total += float(wanted.square().sum())
    return math.sqrt(missed / total) if total else 0.0
