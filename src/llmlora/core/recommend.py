"""Training values nobody gave: computed from rows, model and device, each with the reason shown to the user."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmlora.core.config import TrainConfig, build_config, canonical_name
from llmlora.core.presets import preset_values

TARGET_STEPS = 150  # few rows need many passes before their facts are learned; see docs/reference/presets.md
MAX_EPOCHS = 30
MAX_CONTEXT = 2048


@dataclass(frozen=True)
class Facts:
    """What the recommendation is computed from."""

    num_rows: int
    num_parameters: int
    context_length: int
    own_values: Mapping[str, Any]  # values that the model's maker recommends


@dataclass(frozen=True)
class Resolved:
    """A complete configuration, and where each value came from."""

    config: TrainConfig
    origins: dict[str, str]
    reasons: dict[str, dict[str, Any]]  # field -> parameters of the sentence `recommend.<field>`


def recommended_values(facts: Facts) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the recommended values and, for each, the parameters of its reason."""
    batch_size = _batch_size(facts.num_rows)
    epochs = _epochs(facts.num_rows, batch_size)
    rate = _learning_rate(facts.num_parameters)
    max_length = min(facts.context_length, MAX_CONTEXT)
    values: dict[str, Any] = {
        "r": 8,
        "lora_dropout": 0.0,
        "target_modules": "all-linear",
        "learning_rate": rate,
        "num_train_epochs": epochs,
        "per_device_train_batch_size": batch_size,
        "max_length": max_length,
    }
    reasons: dict[str, dict[str, Any]] = {
        "learning_rate": {"parameters": facts.num_parameters},
        "num_train_epochs": {"rows": facts.num_rows, "steps": math.ceil(facts.num_rows / batch_size) * epochs},
        "per_device_train_batch_size": {"rows": facts.num_rows},
        "max_length": {"context_length": facts.context_length},
    }
    return values, reasons


def _batch_size(num_rows: int) -> int:
    return max(1, min(8, num_rows // 5))


def _epochs(num_rows: int, batch_size: int) -> int:
    steps_per_epoch = math.ceil(num_rows / batch_size)
    return max(3, min(MAX_EPOCHS, math.ceil(TARGET_STEPS / steps_per_epoch)))


def _learning_rate(num_parameters: int) -> float:
    """LoRA rates fall with model size: 2e-4 around 7 billion parameters, 1e-3 below 200 million."""
    for limit, rate in ((200e6, 1e-3), (1e9, 5e-4), (4e9, 3e-4), (20e9, 2e-4)):
        if num_parameters < limit:
            return rate
    return 1e-4


def resolve_config(
    facts: Facts,
    *,
    recipe: Mapping[str, Any] | None = None,
    training_preset: str | None = None,
    preset: str | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Resolved:
    """Combine all sources of settings; a later one wins: recommended, the model's own, recipe, presets, --set.

    A rank given without lora_alpha gets an alpha of twice the rank.

    Raises:
        ConfigError: unknown presets, unknown settings, bad values and impossible combinations, all together.
    """
    values, reasons = recommended_values(facts)
    origins = dict.fromkeys(values, "recommended")
    sources = (
        ("model", dict(facts.own_values)),
        ("recipe", dict(recipe or {})),
        ("training_preset", preset_values("training_preset", training_preset or "recommended")),
        ("preset", preset_values("preset", preset or "recommended")),
        ("set", dict(overrides or {})),
    )
    for origin, given in sources:
        fields = {canonical_name(name): value for name, value in given.items()}
        if "r" in fields and "lora_alpha" not in fields:
            values.pop("lora_alpha", None)
        if "max_steps" in fields or fields.get("lr_scheduler_type") == "staged":
            reasons.pop("num_train_epochs", None)
        values.update(fields)
        origins.update(dict.fromkeys(fields, origin))
    if "lora_alpha" not in values:
        values["lora_alpha"] = 2 * values["r"] if isinstance(values["r"], int | float) else 16
        origins["lora_alpha"] = "recommended"
        reasons["lora_alpha"] = {"r": values["r"]}
    config = build_config(values)
    return Resolved(
        config, origins, {name: params for name, params in reasons.items() if origins.get(name) == "recommended"}
    )
