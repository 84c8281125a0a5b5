"""What one training run is asked to do: every setting once, with its meaning, unit and limits.

The command line, the recipe file, the reference page and the frozen `config.json` of a job are all derived from
`TrainConfig`; the sentence in each description is the English source of the help text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from llmlora.core.errors import ConfigError
from llmlora.core.near_names import near_names

Method = Literal["lora", "qlora", "full"]
Quantization = Literal["auto", "q4_k", "nf4"]
Scheduler = Literal["linear", "cosine", "constant", "cosine_with_restarts", "staged"]
Dtype = Literal["auto", "float32", "bfloat16", "float16"]
Tracker = Literal["none", "tensorboard", "wandb", "mlflow"]

ALIASES = {
    "rank": "r",
    "lora_r": "r",
    "alpha": "lora_alpha",
    "dropout": "lora_dropout",
    "lr": "learning_rate",
    "epochs": "num_train_epochs",
    "batch_size": "per_device_train_batch_size",
    "max_seq_length": "max_length",
    "warmup": "warmup_steps",
    "scheduler": "lr_scheduler_type",
}


MOST_EPOCHS = 10_000
MOST_MICRO_BATCHES = 4096

# A setting that came after the first job format: the value it has in a job that does not name it. Every new setting
# gets a row, and the value is what those jobs did, so that an interrupted one goes on as it began.
VALUES_IN_OLDER_JOBS: dict[str, Any] = {
    "load_best_model_at_end": False,
    "split_long_text": False,
    "drop_overlong": False,
    "general_share": 0.0,
    "quantization": "auto",
}


class Stage(BaseModel):
    """One stage of a staged schedule: a learning rate held for some epochs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    learning_rate: float = Field(gt=0, le=1, description="Learning rate of this stage.")
    epochs: float = Field(gt=0, le=MOST_EPOCHS, description="Epochs this stage lasts.")


class TrainConfig(BaseModel):
    """All settings of one training run; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    method: Method = Field(
        "lora",
        description="Which weights train: a LoRA adapter (lora), an adapter on a base that stays in its GGUF blocks, "
        "or is held in 4-bit ones (qlora), or all weights (full).",
    )
    quantization: Quantization = Field(
        "auto",
        description="How method qlora holds the base: q4_k in GGUF blocks (a GGUF file's own; CPU only), nf4 in 4-bit "
        "NormalFloat by bitsandbytes; auto is q4_k on a CPU and nf4 on an NVIDIA GPU.",
    )
    r: int = Field(
        8, ge=1, le=512, description="LoRA rank: a low rank trains few parameters, a high rank has more capacity."
    )
    lora_alpha: float = Field(
        16,
        gt=0,
        le=4096,
        description="LoRA scaling numerator; the update is scaled by lora_alpha / r. Usually twice r.",
    )
    lora_dropout: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Share of adapter inputs dropped in training; higher values work against over-fitting.",
    )
    target_modules: tuple[str, ...] | Literal["all-linear"] = Field(
        "all-linear", description="Layers that get an adapter: module names such as q_proj, or all-linear."
    )
    use_rslora: bool = Field(False, description="Scale the adapter by lora_alpha / sqrt(r) (rank-stabilised LoRA).")
    use_dora: bool = Field(
        False,
        description="Learn magnitude and direction separately (DoRA); the adapter must be merged before GGUF export.",
    )
    modules_to_save: tuple[str, ...] = Field(
        (), description="Modules trained in full beside the adapter, such as lm_head or embed_tokens."
    )
    layers: tuple[int, ...] | None = Field(
        None, description="Indices of the decoder layers that get an adapter; all when empty."
    )
    init_adapter: str | None = Field(
        None, description="Adapter folder to continue training from; its r, alpha and target modules are used."
    )
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Peak step size of the optimizer.")
    num_train_epochs: float = Field(3, gt=0, le=MOST_EPOCHS, description="Passes over the training rows.")
    max_steps: int | None = Field(None, ge=1, description="Optimizer steps; when given it replaces num_train_epochs.")
    per_device_train_batch_size: int = Field(4, ge=1, le=4096, description="Examples per micro-batch on each device.")
    gradient_accumulation_steps: int = Field(
        1,
        ge=1,
        le=MOST_MICRO_BATCHES,
        description="Micro-batches per optimizer step; the effective batch is their product.",
    )
    max_length: int = Field(
        1024, ge=8, le=1_048_576, description="Tokens per example; longer examples are cut and reported."
    )
    split_long_text: bool = Field(
        True, description="Divide text rows longer than max_length into several, so that nothing of them is cut off."
    )
    drop_overlong: bool = Field(False, description="Leave out examples longer than max_length instead of cutting them.")
    general_share: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Bundled general rows trained along, as a share of the training rows, so that less is forgotten.",
    )
    packing: bool = Field(
        True, description="Lay the examples of a micro-batch end to end without padding; the loss stays the same."
    )
    assistant_only_loss: bool = Field(True, description="Learn only the assistant's answers, not the prompts.")
    lr_scheduler_type: Scheduler = Field("linear", description="How the learning rate changes over the steps.")
    stages: tuple[Stage, ...] = Field((), description="Learning rates and epochs of a staged schedule, in order.")
    num_cycles: int = Field(1, ge=1, le=100, description="Restarts of the cosine_with_restarts schedule.")
    warmup_steps: int = Field(0, ge=0, description="Steps over which the learning rate rises from 0.")
    weight_decay: float = Field(0.0, ge=0, le=1, description="Pull of the weights towards 0 (decoupled, AdamW).")
    max_grad_norm: float = Field(
        1.0, ge=0, description="Gradients longer than this are shortened to it; 0 switches clipping off."
    )
    gradient_checkpointing: bool = Field(
        False, description="Recompute activations in the backward pass: less memory, about a third more time."
    )
    validation_split: float = Field(0.0, ge=0, lt=1, description="Share of the rows held out to measure eval_loss.")
    eval_steps: int | None = Field(None, ge=1, description="Steps between evaluations; once per epoch when empty.")
    early_stopping_patience: int | None = Field(
        None, ge=1, description="Stop after this many evaluations without improvement."
    )
    load_best_model_at_end: bool = Field(
        False,
        description="Publish the weights with the lowest eval_loss instead of the last ones; "
        "on by itself when early_stopping_patience is given.",
    )
    early_stopping_min_delta: float = Field(
        0.0, ge=0, description="An evaluation counts as better only when it improves by more than this."
    )
    seed: int = Field(42, ge=0, le=2**31 - 1, description="Seed of data order, dropout and adapter initialisation.")
    dtype: Dtype = Field(
        "auto", description="Number format of the frozen base; auto measures which one this device computes fastest."
    )
    logging_steps: int = Field(1, ge=1, description="Steps between logged metrics.")
    save_steps: int | None = Field(
        None, ge=1, description="Steps between checkpoints; besides, one is written after each epoch."
    )
    save_total_limit: int = Field(
        2, ge=2, description="Checkpoints kept; at least 2, so that a damaged one can be replaced by the one before."
    )
    max_nonfinite_steps: int = Field(
        3, ge=1, description="Steps in a row with a non-finite loss or gradient after which the run fails."
    )
    chat_template: str | None = Field(
        None, description="Bundled template name or Jinja file that replaces the model's own chat template."
    )
    system: str | None = Field(None, description="System message for rows that have none.")
    report_to: tuple[Tracker, ...] = Field((), description="Experiment trackers that get the metrics as well.")

    @model_validator(mode="after")
    def _check_combinations(self) -> Self:
        problems = list(_combination_problems(self))
        if problems:
            raise _CombinationError(problems)
        return self

    @property
    def effective_batch_size(self) -> int:
        """Examples per optimizer step on one device."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps


class _CombinationError(ValueError):
    """Carries all combination problems through pydantic's validation error."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__("combination")
        self.problems = problems


def _combination_problems(config: TrainConfig) -> list[dict[str, Any]]:
    checks: list[tuple[bool, str, str]] = [
        (config.quantization != "auto" and config.method != "qlora", "quantization", "qlora_only"),
        (config.method == "full" and config.use_dora, "use_dora", "lora_only"),
        (config.method == "full" and config.use_rslora, "use_rslora", "lora_only"),
        (config.method == "full" and config.init_adapter is not None, "init_adapter", "lora_only"),
        (config.method == "full" and bool(config.modules_to_save), "modules_to_save", "lora_only"),
        (config.method == "full" and config.layers is not None, "layers", "lora_only"),
        (config.lr_scheduler_type == "staged" and not config.stages, "stages", "stages_missing"),
        (config.lr_scheduler_type != "staged" and bool(config.stages), "stages", "stages_unused"),
        (bool(config.stages) and config.max_steps is not None, "max_steps", "stages_set_length"),
        (config.max_steps is not None and config.warmup_steps >= config.max_steps, "warmup_steps", "warmup_too_long"),
        (config.target_modules == (), "target_modules", "no_target_modules"),
        (config.layers == (), "layers", "no_layers"),
        (
            config.num_cycles > 1 and config.lr_scheduler_type != "cosine_with_restarts",
            "num_cycles",
            "needs_restarts",
        ),
        (
            config.early_stopping_min_delta > 0 and config.early_stopping_patience is None,
            "early_stopping_min_delta",
            "needs_patience",
        ),
        (len(set(config.report_to)) < len(config.report_to), "report_to", "named_twice"),
    ]
    return [{"field": field, "code": code, "value": getattr(config, field)} for failed, field, code in checks if failed]


def with_older_values(stored: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a stored job with those added that did not exist when it was made."""
    return {**VALUES_IN_OLDER_JOBS, **stored}


def changed_settings(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Return the names of the settings that mean something else in one stored job than in the other."""
    before, now = with_older_values(before), with_older_values(now)
    absent = object()
    return sorted(name for name in {*before, *now} if before.get(name, absent) != now.get(name, absent))


def canonical_name(name: str) -> str:
    """Return the TrainConfig field of a setting name; short names of other tools are accepted at this edge only."""
    return ALIASES.get(name, name)


def build_config(values: dict[str, Any], further_problems: Sequence[dict[str, Any]] = ()) -> TrainConfig:
    """Return a validated configuration.

    Raises:
        ConfigError: `invalid_settings` with all problems: bad values, impossible combinations of the others, and those
            that the caller has found.
    """
    config, problems = _validated(as_meant({canonical_name(name): value for name, value in values.items()}))
    if config is None or problems or further_problems:
        raise invalid_settings([*problems, *further_problems])
    return config


def _validated(values: dict[str, Any]) -> tuple[TrainConfig | None, list[dict[str, Any]]]:
    """Return the configuration, or all problems; combinations are checked on the values that are good by themselves."""
    problems = [
        _problem(name, "bad_value", value, "bool", "float_type")
        for name, value in values.items()
        if _holds_bool(value) and (_number_type(name) is not None or name in ("layers", "stages"))
    ]
    good = {name: value for name, value in values.items() if name not in {problem["field"] for problem in problems}}
    try:
        return TrainConfig.model_validate(good), problems
    except ValidationError as error:
        found = _problems_of(error)
    bad = {problem["field"] for problem in found if problem["code"] in ("bad_value", "unknown_setting")}
    if bad:
        _, others = _validated({name: value for name, value in good.items() if name not in bad})
        found = [problem for problem in found if problem["field"] in bad]
        found += [problem for problem in others if problem["field"] not in bad]  # it is there, only wrong
    return None, problems + found


def _holds_bool(value: Any) -> bool:
    """Tell whether true or false stands where pydantic would take it for 1 or 0."""
    if isinstance(value, list | tuple):
        return any(map(_holds_bool, value))
    return isinstance(value, bool) or (isinstance(value, dict) and _holds_bool(list(value.values())))


def invalid_settings(problems: list[dict[str, Any]]) -> ConfigError:
    """Return the error that lists problems of settings, with the names that exist."""
    known = ", ".join(TrainConfig.model_fields)
    return ConfigError("invalid_settings", problems=problems, count=len(problems), known=known)


def as_meant(values: Mapping[str, Any]) -> dict[str, Any]:
    """Accept "q_proj,v_proj" for list fields and "1e-4" for numbers, as the command line and recipes write them."""
    meant = {name: _number(value, _number_type(name)) for name, value in values.items()}
    for name in ("target_modules", "modules_to_save", "report_to", "layers"):
        value = meant.get(name)
        if name == "layers" and isinstance(value, int) and not isinstance(value, bool):
            meant[name] = (value,)  # a single layer needs no comma
        if isinstance(value, str) and value != "all-linear":
            meant[name] = tuple(part.strip() for part in value.split(",") if part.strip())
    if meant.get("report_to") == ("none",) or meant.get("report_to") == ["none"]:
        meant["report_to"] = ()
    return meant


def _number_type(name: str) -> type | None:
    """Return int or float for a setting that is a number, else None."""
    field = TrainConfig.model_fields.get(name)
    kinds = () if field is None else (field.annotation, *get_args(field.annotation))
    return next((kind for kind in (int, float) if kind in kinds), None)


def _number(value: Any, kind: type | None) -> Any:
    """Return the number that a text stands for; what is none stays as it is and is refused later.

    YAML 1.1 reads an exponent without a point (`1e-4`) as text.
    """
    if kind is None or not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    if kind is int and not number.is_integer():
        return value
    return kind(number) if math.isfinite(number) else value


def _problems_of(error: ValidationError) -> list[dict[str, Any]]:
    problems: list[dict[str, Any]] = []
    for item in error.errors():
        cause = (item.get("ctx") or {}).get("error")
        if isinstance(cause, _CombinationError):
            problems.extend(cause.problems)
            continue
        field = str(item["loc"][0]) if item["loc"] else ""
        is_unknown = item["type"] == "extra_forbidden" and len(item["loc"]) == 1  # deeper: an unknown key of a stage
        code = "unknown_setting" if is_unknown else "bad_value"
        problem = _problem(field, code, item.get("input"), item["msg"], item["type"])
        problem["limit_params"] = {name: _bound_text(bound) for name, bound in (item.get("ctx") or {}).items()}
        if code == "unknown_setting":
            problem["close"] = near_names(field, [*TrainConfig.model_fields, *ALIASES])
        problems.append(problem)
    return problems


def _bound_text(bound: Any) -> str:
    """Return a limit as a user writes it: 10000 where the field's bound is 10000.0."""
    if isinstance(bound, float) and bound.is_integer():
        return str(int(bound))
    return str(bound).replace(" or ", ", ")


def _problem(field: str, code: str, value: Any, limit: str, limit_type: str) -> dict[str, Any]:
    return {
        "field": field,
        "code": code,
        "value": value if isinstance(value, str | int | float) and len(str(value)) <= 80 else str(value)[:80],
        "limit": limit,
        "limit_type": limit_type,
        "limit_params": {},
    }
