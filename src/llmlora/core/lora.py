"""What PEFT's settings of a LoRA adapter mean, for those that read them without PEFT."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

# Initialisations that change the base weights too: the saved adapter alone does not say what they became.
BASE_CHANGING_INITS: Final = ("pissa", "olora", "corda", "loftq", "lora_ga")
# Settings whose effect is not a low-rank change of a weight matrix, or of another base than the file's.
_NEEDS_MERGE: Final = (
    "use_dora", "modules_to_save", "trainable_token_indices", "lora_bias", "layer_replication", "target_parameters",
    "use_qalora", "arrow_config", "alora_invocation_tokens", "megatron_config",
)  # fmt: skip


def lora_scaling(alpha: float, rank: float, use_rslora: bool) -> float:
    """Return what B A x is multiplied with: alpha over the rank, or over its root in rank-stabilised LoRA."""
    return alpha / (math.sqrt(rank) if use_rslora else rank)


def merge_reason(config: Mapping[str, Any]) -> str | None:
    """Return what in an `adapter_config.json` is more than low-rank changes beside the base; None for nothing."""
    if str(config.get("peft_type", "LORA")) != "LORA":
        return f"peft_type={config['peft_type']}"
    used = [name for name in _NEEDS_MERGE if config.get(name)]
    if used:
        return ", ".join(used)
    if config.get("bias", "none") != "none":
        return f"bias={config['bias']}"
    if str(config.get("init_lora_weights", True)).lower().startswith(BASE_CHANGING_INITS):
        return f"init_lora_weights={config['init_lora_weights']}"
    return None
