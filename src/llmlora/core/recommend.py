"""Training values nobody gave: computed from rows, model and device, each with the reason shown to the user."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from llmlora.core.config import TrainConfig, as_meant, build_config, canonical_name, invalid_settings
from llmlora.core.epochs import steps_in
from llmlora.core.general_rows import num_general_rows
from llmlora.core.presets import preset_values
from llmlora.core.reach import REFERENCE, LinearLayer, adapter_moves, adapter_reach
from llmlora.core.run_plan import Needs, RunPlan, run_plan

# Few rows need many passes before their facts are learned, fewer by a model that knows language (one of 135 million
# parameters learned all in 50 steps, and answered fewer other wordings after 150; docs/reference/presets.md).
SMALL_MODEL, STEPS_OF_SMALL, STEPS_OF_OTHERS = 50_000_000, 150, 50
# A small one needs as many passes over 100 rows as over 20: 156 steps taught it 7 of 131 facts, 390 all. More rows were
# not measured.
MOST_STEPS_OF_SMALL: Final = 375
MAX_EPOCHS = 30  # of batches of the recommended size
LARGEST_BATCH: Final = 8
MIN_EPOCHS = 3
MAX_CONTEXT = 2048
NEED_EVAL_ROWS = ("eval_steps", "early_stopping_patience", "load_best_model_at_end")
# What an adapter lacks in movement is made up by rate and steps (docs/reference/presets.md); more was not measured.
RATE_POWER, HIGHEST_RATE_FACTOR = 0.5, 4.0
STEPS_POWER, MOST_STEPS_FACTOR = 0.75, 4.0
ENOUGH_MOVES: Final = 163_840  # of nano's reference adapter, which learns the facts of 20 rows
FULL_RATE_DIVISOR = 5  # all weights move at once, so each may move less


@dataclass(frozen=True)
class Facts:
    """What the recommendation is computed from."""

    num_rows: int  # training rows: a long text makes several
    num_parameters: int
    context_length: int
    own_values: Mapping[str, Any]  # values that the model's maker recommends for adapters
    has_eval_data: bool = False
    has_different_rows: bool = True  # False: all are copies of one, which nothing can be held out of
    num_examples: int | None = None  # where it is not num_rows
    num_train_rows: int | None = None  # where it was counted: num_rows without those held out
    is_estimate: bool = False  # the rows will be counted once the settings that divide them are known
    layers: Sequence[LinearLayer] = ()  # what an adapter can sit on; without them every target counts as all


@dataclass(frozen=True)
class Resolved:
    """A complete configuration, and where each value came from."""

    config: TrainConfig
    origins: dict[str, str]
    reasons: dict[str, dict[str, Any]]  # field -> parameters of the sentence `recommend.<field>`
    recommended: dict[str, Any]  # what the computed values are where nobody chooses, beside the others of this run
    plan: RunPlan


def recommended_values(facts: Facts) -> dict[str, Any]:
    """Return the recommended values that depend on no other setting."""
    return {
        "r": 8,
        "lora_dropout": 0.0,
        "target_modules": "all-linear",
        "per_device_train_batch_size": _batch_size(facts.num_rows),
        "max_length": min(facts.context_length, MAX_CONTEXT),
    }


def _batch_size(num_rows: int) -> int:
    return max(1, min(LARGEST_BATCH, num_rows // 5))


def own_rate(num_parameters: int, own_values: Mapping[str, Any], method: str = "lora") -> float:
    """Return the model's own learning rate: its maker's for adapters, else the one of its size.

    It is meant for an adapter of rank 8 on all linear layers with a scale (`lora_alpha / r`) of 2.
    """
    if method == "full":
        return _rate_by_size(num_parameters) / FULL_RATE_DIVISOR
    own = own_values.get("learning_rate")
    return float(own) if _is_number(own) else _rate_by_size(num_parameters)


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _rate_by_size(num_parameters: int) -> float:
    """LoRA rates fall with model size: 2e-4 around 7 billion parameters, 1e-3 below 200 million."""
    for limit, rate in ((200e6, 1e-3), (1e9, 5e-4), (4e9, 3e-4), (20e9, 2e-4)):
        if num_parameters < limit:
            return rate
    return 1e-4


def _lacking(facts: Facts, values: Mapping[str, Any]) -> tuple[float, float]:
    """Return how many times as much the reference adapter moves, and how many times as much is enough for the facts.

    Both are 1 where nothing is lacking. The model's own rate is for its reference adapter, so the rate follows the
    first. What rows say needs room, whatever the model's size: a narrow adapter of a large model has enough of it.
    """
    if values.get("method") == "full":
        return 1.0, 1.0
    try:
        lack = max(1.0, 1 / adapter_reach(facts.layers, values))
        moves = adapter_moves(facts.layers, values)
        return lack, max(1.0, min(lack, ENOUGH_MOVES / moves)) if moves else lack
    except (TypeError, ValueError, ArithmeticError, AttributeError):
        return 1.0, 1.0  # a value that is refused as soon as all are known


def rate_factor(facts: Facts, values: Mapping[str, Any]) -> float:
    """Return by how much an adapter that moves the model less than the reference needs a higher rate."""
    return min(HIGHEST_RATE_FACTOR, math.pow(_lacking(facts, values)[0], RATE_POWER))


def needed_rate(facts: Facts, values: Mapping[str, Any]) -> float:
    """Return the learning rate for these settings: the model's own, higher where the adapter moves less per step."""
    own = own_rate(facts.num_parameters, facts.own_values, str(values.get("method")))
    factor = rate_factor(facts, values)
    return own if factor == 1 else float(f"{own * factor:.2g}")


def needed_steps(facts: Facts, values: Mapping[str, Any]) -> int:
    """Return the optimizer steps that few rows need: of batches of the recommended size, no row more than 30 times.

    A higher rate alone does not make up for an adapter with little room, so that needs more of them; so do general
    rows, beside which the rows of the data are seen as often as without them.
    """
    own = _data_rows(facts, values)
    target = STEPS_OF_OTHERS
    if facts.num_parameters < SMALL_MODEL:
        in_large_batches = MAX_EPOCHS * math.ceil(own / LARGEST_BATCH)
        target = min(MOST_STEPS_OF_SMALL, max(STEPS_OF_SMALL, in_large_batches))
    steps = min(target, MAX_EPOCHS * math.ceil(own / _batch_size(facts.num_rows)))
    factor = min(MOST_STEPS_FACTOR, math.pow(_lacking(facts, values)[1], STEPS_POWER))
    return math.ceil(steps * factor * (_train_rows(facts, values) / own))


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
    values, reasons = recommended_values(facts), _reasons(facts)
    origins = dict.fromkeys(values, "recommended")
    recommended = {**values, **facts.own_values}
    for origin, fields in (("model", facts.own_values), *asked):
        if "r" in fields and "lora_alpha" not in fields:
            values.pop("lora_alpha", None)
        values.update(fields)
        origins.update(dict.fromkeys(fields, origin))
    if "lora_alpha" not in values:
        is_rank = isinstance(values["r"], int | float) and values["r"] > 0
        values["lora_alpha"] = 2 * values["r"] if is_rank else 16
        origins["lora_alpha"] = "recommended"
        reasons["lora_alpha"] = {"r": values["r"]}
    problems = _adapter_problems(values, origins, adapter or {})
    values.update(adapter or {})
    origins.update(dict.fromkeys(adapter or {}, "adapter"))
    _add_rate(facts, values, origins, reasons)
    _add_epochs(facts, values, origins, reasons)
    problems += _input_problems(values, facts)
    if values.get("early_stopping_patience") is not None and "load_best_model_at_end" not in values:
        values["load_best_model_at_end"] = True
        origins["load_best_model_at_end"] = "recommended"
        reasons["load_best_model_at_end"] = {}
    config = build_config(values, problems)
    num_train_rows = _train_rows(facts, values)
    needs = Needs(needed_rate(facts, values), needed_steps(facts, values), _lacking(facts, values)[1])
    wide = values if needs.has_room else {**values, **REFERENCE, "layers": None}
    needs = Needs(needed_rate(facts, wide), needed_steps(facts, wide), needs.room)
    shown = {name: params for name, params in reasons.items() if origins.get(name) == "recommended"}
    recommended["learning_rate"] = needs.learning_rate
    batch = {name: recommended.get(name, 1) for name in ("per_device_train_batch_size", "gradient_accumulation_steps")}
    recommended.setdefault("num_train_epochs", _epochs(facts, {**wide, **batch}))
    return Resolved(config, origins, shown, recommended, run_plan(config, num_train_rows, needs))


def _reasons(facts: Facts) -> dict[str, dict[str, Any]]:
    return {
        "per_device_train_batch_size": {"rows": facts.num_rows},
        "max_length": {"context_length": facts.context_length},
    }


def _add_rate(
    facts: Facts, values: dict[str, Any], origins: dict[str, str], reasons: dict[str, dict[str, Any]]
) -> None:
    """Settle the learning rate where nobody gave one; the model's own is for the reference adapter."""
    is_full = values.get("method") == "full"
    origin = origins.get("learning_rate", "recommended")
    if origin not in ("recommended", "model") or (origin == "model" and not _is_number(values["learning_rate"])):
        return
    factor = rate_factor(facts, values)
    values["learning_rate"] = needed_rate(facts, values)
    if origin == "model" and factor == 1 and not is_full:
        return
    origins["learning_rate"] = "recommended"
    reasons["learning_rate"] = {"parameters": facts.num_parameters}
    if factor > 1:
        own = own_rate(facts.num_parameters, facts.own_values)
        reasons["learning_rate"] = {"sentence": "learning_rate_of_part", "own": own, "factor": factor}


def _add_epochs(
    facts: Facts, values: dict[str, Any], origins: dict[str, str], reasons: dict[str, dict[str, Any]]
) -> None:
    """Settle the epochs where nobody gave them, so that batch and accumulation of this run make the steps needed."""
    if "num_train_epochs" in values:
        return
    epochs = values["num_train_epochs"] = _epochs(facts, values)
    origins["num_train_epochs"] = "recommended"
    if not values.get("max_steps") and values.get("lr_scheduler_type") != "staged":
        num_rows = _train_rows(facts, values)
        reasons["num_train_epochs"] = {"rows": num_rows, "steps": epochs * _steps_per_epoch(values, num_rows)}


def _epochs(facts: Facts, values: Mapping[str, Any]) -> int:
    num_rows = _train_rows(facts, values)
    return max(MIN_EPOCHS, math.ceil(needed_steps(facts, values) / _steps_per_epoch(values, num_rows)))


def _steps_per_epoch(values: Mapping[str, Any], num_rows: int) -> int:
    try:
        batch = int(values["per_device_train_batch_size"]) * int(values.get("gradient_accumulation_steps") or 1)
        return math.ceil(num_rows / batch)
    except (TypeError, ValueError, ArithmeticError):
        return num_rows  # a value that is refused as soon as all are known


def _train_rows(facts: Facts, values: Mapping[str, Any]) -> int:
    """Return the rows that are trained on: those of the data that are not held out, and general ones."""
    own = _data_rows(facts, values)
    return own + num_general_rows(values.get("general_share"), own)


def _data_rows(facts: Facts, values: Mapping[str, Any]) -> int:
    counted = facts.num_train_rows
    return _without_held_out(values, facts.num_rows) if counted is None else counted


def _without_held_out(values: Mapping[str, Any], num_rows: int) -> int:
    split = values.get("validation_split")
    if not _is_number(split) or not 0 < split < 1:
        return num_rows
    return max(1, num_rows - max(1, round(num_rows * split)))


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
    steps = None if facts.is_estimate else _steps(values, _train_rows(facts, values))
    num_examples = facts.num_rows if facts.num_examples is None else facts.num_examples
    has_split = isinstance(split, int | float) and split > 0
    has_no_eval_rows = not has_split and not facts.has_eval_data
    can_be_split = num_examples > 1 and facts.has_different_rows
    no_eval_rows = "no_eval_rows" if can_be_split else "no_eval_rows_one"
    if can_be_split and values.get("drop_overlong") and facts.is_estimate:
        no_eval_rows = "no_eval_rows_dropped"  # how many rows are left is not known yet
    checks = (
        (has_split and facts.has_eval_data, "validation_split", "eval_data_given"),
        *((has_no_eval_rows and bool(values.get(name)), name, no_eval_rows) for name in NEED_EVAL_ROWS),
        (has_split and num_examples < 2, "validation_split", "too_few_to_split"),
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
    """Return the steps of a run over rows of which `validation_split` holds some out; None for what is no number."""
    own = _without_held_out(values, num_rows)
    return _steps(values, own + num_general_rows(values.get("general_share"), own))


def _steps(values: Mapping[str, Any], num_train_rows: int) -> int | None:
    try:
        batch = int(values["per_device_train_batch_size"]) * int(values.get("gradient_accumulation_steps") or 1)
        stages = [float(stage["epochs"]) for stage in values.get("stages") or ()]
        epochs = stages or [float(values["num_train_epochs"])]
        return int(values.get("max_steps") or 0) or steps_in(epochs, math.ceil(num_train_rows / batch))
    except (TypeError, ValueError, KeyError, ZeroDivisionError, OverflowError):
        return None
