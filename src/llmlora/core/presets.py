"""Named sets of settings; the values are requirements (the sources are named in docs/reference/presets.md)."""

from __future__ import annotations

from typing import Any

from llmlora.core.errors import ConfigError
from llmlora.core.near_names import near_names

ATTENTION = ("q_proj", "k_proj", "v_proj", "o_proj")

LORA_PRESETS: dict[str, dict[str, Any]] = {
    "recommended": {},
    "light": {"r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "target_modules": "all-linear"},
    "balanced": {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": ATTENTION},
    "high": {"r": 16, "lora_alpha": 32, "lora_dropout": 0.1, "target_modules": (*ATTENTION, "gate_proj", "up_proj")},
    "efficient": {"r": 12, "lora_alpha": 24, "lora_dropout": 0.1, "learning_rate": 3e-5, "num_train_epochs": 4},
}

TRAINING_PRESETS: dict[str, dict[str, Any]] = {
    "recommended": {},
    "standard": {"learning_rate": 5e-5, "num_train_epochs": 1, "per_device_train_batch_size": 2, "max_length": 512},
    "manual": {"r": 16, "learning_rate": 3e-4, "per_device_train_batch_size": 4, "num_train_epochs": 3},
    "experiment1": {"r": 16, "learning_rate": 5e-5, "num_train_epochs": 5},
    "experiment2": {"r": 4, "learning_rate": 2e-4, "num_train_epochs": 2},
    "memory_saver": {
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 16,
        "gradient_checkpointing": True,
        "dtype": "float16",
    },
    "gpu8": {"per_device_train_batch_size": 8, "r": 16},
    "gpu16": {"per_device_train_batch_size": 4, "r": 16},
    "gpu24": {"per_device_train_batch_size": 2, "r": 32},
    "large32b": {
        "method": "qlora",
        "r": 128,
        "lora_alpha": 32,
        "max_length": 512,
        "num_train_epochs": 2,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": 32,
        "gradient_checkpointing": True,
    },
}

# Three jobs that are trained on the same data to be combined.
ENSEMBLE: tuple[dict[str, Any], ...] = (
    {"r": 8, "lora_alpha": 16, "learning_rate": 5e-5, "lora_dropout": 0.05},
    {"r": 12, "lora_alpha": 24, "learning_rate": 3e-5, "lora_dropout": 0.1},
    {"r": 16, "lora_alpha": 32, "learning_rate": 1e-5, "lora_dropout": 0.15},
)


def preset_values(kind: str, name: str) -> dict[str, Any]:
    """Return the settings a preset names; `kind` is "preset" (LoRA) or "training_preset"."""
    is_lora = kind == "preset"
    presets, others = (LORA_PRESETS, TRAINING_PRESETS) if is_lora else (TRAINING_PRESETS, LORA_PRESETS)
    if name not in presets:
        option, other = ("--preset", "--training-preset")[:: 1 if is_lora else -1]
        if name in others:
            raise ConfigError("preset_of_other_option", kind=option, name=name, other=other)
        near = near_names(name, list(presets))
        raise ConfigError("unknown_preset", kind=option, name=name, known=", ".join(presets), near=near)
    return dict(presets[name])
