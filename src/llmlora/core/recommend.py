"""Training values nobody gave: computed from rows, model and device, each with the reason shown to the user."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmlora.core.config import TrainConfig, as_meant, build_config, canonical_name, invalid_settings
from llmlora.core.epochs import steps_in
from llmlora.core.presets import preset_values

TARGET_STEPS = 150  # few rows need many passes before their facts are learned; see docs/reference/presets.md
MAX_EPOCHS = 30
MAX_CONTEXT = 2048
NEED_EVAL_ROWS = ("eval_steps", "early_stopping_patience", "load_best_model_at_end")
FULL_RATE_DIVISOR = 5  # all weights move at once, so each may move less


@dataclass(frozen=True)
class Facts:
    """What the recommendation is computed from."""

    num_rows: int
    num_parameters: int
    context_length: int
    own_values: Mapping[str, Any]  # values that the model's maker recommends for adapters
    has_eval_data: bool = False


@dataclass(frozen=True)
class Resolved:
    """A complete configuration, and where each value came from."""

    config: TrainConfig
    origins: dict[str, str]
    reasons: dict[str, dict[str, Any]]  # field -> parameters of the sentence `recommend.<field>`
    recommended: dict[str, Any]  # what the computed values are where nobody chooses


def recommended_values(facts: Facts, method: str = "lora") -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the recommended values and, for each, the parameters of its reason."""
    batch_size = _batch_size(facts.num_rows)
    epochs = _epochs(facts.num_rows, batch_size)
    rate = _rate_by_size(facts.num_parameters) / (FULL_RATE_DIVISOR if method == "full" else 1)
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


def own_rate(num_parameters: int, own_values: Mapping[str, Any], method: str = "lora") -> float:
    """Return the model's own learning rate: its maker's for adapters, else the one of its size.

    It is meant for an adapter on all linear layers with a scale (`lora_alpha / r`) of 2.
    """
    if method == "full":
        return _rate_by_size(num_parameters) / FULL_RATE_DIVISOR
    return float(own_values.get("learning_rate", _rate_by_size(num_parameters)))


def _rate_by_size(num_parameters: int) -> float:
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
    adapter: Mapping[str, Any] | None = None,
) -> Resolved:
    """Combine all sources of settings; a later one wins: recommended, the model's own, recipe, presets, --set.

    A rank given without lora_alpha gets an alpha of twice the rank. `adapter` are the values of an adapter that is
    trained further: they are fixed, and asking for others is a problem.

    Raises:
        ConfigError: unknown presets, unknown settings, bad values and impossible combinations, all together.
    """
    asked = (
        ("recipe", _canonical(recipe or {})),
        ("training_preset", preset_values("training_preset", training_preset or "recommended")),
        ("preset", preset_values("preset", preset or "recommended")),
        ("set", _canonical(overrides or {})),
    )
    method = next((fields["method"] for _, fields in reversed(asked) if "method" in fields), "lora")
    values, reasons = recommended_values(facts, str(method))
    origins = dict.fromkeys(values, "recommended")
    own = {name: value for name, value in facts.own_values.items() if method != "full" or name != "learning_rate"}
    recommended = {**values, **own}
    for origin, fields in (("model", own), *asked):
        if "r" in fields and "lora_alpha" not in fields:
            values.pop("lora_alpha", None)
        if "max_steps" in fields or fields.get("lr_scheduler_type") == "staged":
            reasons.pop("num_train_epochs", None)
        values.update(fields)
        origins.update(dict.fromkeys(fields, origin))
    if "lora_alpha" not in values:
        is_rank = isinstance(values["r"], int | float) and values["r"] > 0
        values["lora_alpha"] = 2 * values["r"] if is_rank else 16
        origins["lora_alpha"] = "recommended"
        reasons["lora_alpha"] = {"r": values["r"]}
    problems = [*_adapter_problems(values, origins, adapter or {}), *_input_problems(values, facts)]
    if values.get("early_stopping_patience") is not None and "load_best_model_at_end" not in values:
        values["load_best_model_at_end"] = True
        origins["load_best_model_at_end"] = "recommended"
        reasons["load_best_model_at_end"] = {}
    values.update(adapter or {})
    origins.update(dict.fromkeys(adapter or {}, "adapter"))
    config = build_config(values, problems)
    told = {name: params for name, params in reasons.items() if origins.get(name) == "recommended"}
    return Resolved(config, origins, told, recommended)


def _canonical(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings by their full names; a name given twice, once as an alias, is a problem of its own."""
    fields: dict[str, Any] = {}
    for name, value in given.items():
        if canonical_name(name) in fields:
            problem = {"field": canonical_name(name), "code": "named_twice", "value": value}
            raise invalid_settings([problem])
        fields[canonical_name(name)] = value
    return as_meant(fields)


def _adapter_problems(
    values: Mapping[str, Any], origins: Mapping[str, str], adapter: Mapping[str, Any]
) -> list[dict[str, Any]]:
    given = {name: values[name] for name in adapter if origins.get(name) not in (None, "recommended", "model")}
    return [
        {"field": name, "code": "differs_from_adapter", "value": _shown(value), "limit": _shown(adapter[name])}
        for name, value in given.items()
        if value != "all-linear" and _comparable(value) != _comparable(adapter[name])
    ]


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _comparable(value: Any) -> Any:
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str) and "," in value:
        value = value.split(",")
    return sorted(str(item).strip() for item in value) if isinstance(value, list | tuple) else str(value)


def _input_problems(values: Mapping[str, Any], facts: Facts) -> list[dict[str, Any]]:
    """Return the problems of values with the data and the model at hand."""
    split, length, warmup = values.get("validation_split"), values["max_length"], values.get("warmup_steps")
    steps = planned_steps(values, facts.num_rows)
    has_split = isinstance(split, int | float) and split > 0
    has_no_eval_rows = not has_split and not facts.has_eval_data
    no_eval_rows = "no_eval_rows" if facts.num_rows > 1 else "no_eval_rows_one"  # a single row cannot be divided
    checks = (
        (has_split and facts.has_eval_data, "validation_split", "eval_data_given"),
        *((has_no_eval_rows and bool(values.get(name)), name, no_eval_rows) for name in NEED_EVAL_ROWS),
        (has_split and facts.num_rows < 2, "validation_split", "too_few_to_split"),
        (isinstance(length, int) and length > facts.context_length, "max_length", "over_context"),
        (
            isinstance(warmup, int) and steps is not None and warmup >= steps and values.get("max_steps") is None,
            "warmup_steps",
            "warmup_over_epochs",
        ),
    )
    limits = {"over_context": facts.context_length, "warmup_over_epochs": steps}
    return [
        {"field": field, "code": code, "value": values.get(field), "limit": limits.get(code)}
        for failed, field, code in checks
        if failed
    ]


def planned_steps(values: Mapping[str, Any], num_rows: int) -> int | None:
    """Return the steps of a run, None when a value is not a number."""
    try:
        held_out = max(1, round(num_rows * float(values.get("validation_split") or 0)))
        train_rows = max(1, num_rows - (held_out if values.get("validation_split") else 0))
        batch = int(values["per_device_train_batch_size"]) * int(values.get("gradient_accumulation_steps") or 1)
        stages = [float(stage["epochs"]) for stage in values.get("stages") or ()]
        epochs = stages or [float(values["num_train_epochs"])]
        return int(values.get("max_steps") or 0) or steps_in(epochs, math.ceil(train_rows / batch))
    except (TypeError, ValueError, KeyError, ZeroDivisionError, OverflowError):
        return None
