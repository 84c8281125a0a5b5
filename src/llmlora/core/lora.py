"""What PEFT's settings of a LoRA adapter mean, for those that read them without PEFT."""

from __future__ import annotations

import math
from typing import Final

# Initialisations that change the base weights too: the saved adapter alone does not say what they became.
BASE_CHANGING_INITS: Final = ("pissa", "olora", "corda", "loftq", "lora_ga")


def lora_scaling(alpha: float, rank: float, use_rslora: bool) -> float:
    """Return what B A x is multiplied with: alpha over the rank, or over its root in rank-stabilised LoRA."""
    return alpha / (math.sqrt(rank) if use_rslora else rank)
