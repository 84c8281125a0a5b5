"""The next run that is proposed after one: which settings depart from the recommended ones, and the whole command.

A command names model, data and every setting that departs, so that it can be pasted anywhere; a setting that returns to
its recommended value is left out of it.
"""

from __future__ import annotations

import json
import math
import shlex
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final, Protocol

from llmlora.core.config import MOST_EPOCHS, Stage, TrainConfig
from llmlora.core.job import JobConfig
from llmlora.core.locale import is_page, shell_word
from llmlora.core.recommend import planned_steps

CHOSEN: Final = ("set", "recipe", "preset", "training_preset")
OPTIONS: Final = {"init_adapter": "--init-adapter", "chat_template": "--chat-template", "system": "--system"}
LENGTH: Final = (
    "num_train_epochs",
    "max_steps",
    "stages",
    "per_device_train_batch_size",
    "gradient_accumulation_steps",
)
# What is recommended by model and data, and not the same for every job.
COMPUTED: Final = {"learning_rate", "num_train_epochs", "per_device_train_batch_size", "max_length"}
SLOWER: Final = 0.1  # of a rate that diverged although it is the recommended one


@dataclass(frozen=True, slots=True)
class Departure:
    """A setting that somebody chose other than recommended; `recommended` may be None: nothing, or not known."""

    name: str
    value: Any
    recommended: Any

    @property
    def words(self) -> str:
        """Return the change back, as `learning_rate 0.05 → 0.002`."""
        return f"{self.name} {_shown(self.value)} → {_shown(self.recommended)}"


def departure(job: JobConfig, name: str) -> Departure | None:
    """Return how a setting of a job departs from what is recommended for it, None when it does not.

    Jobs of older versions do not hold the computed recommendations; there every chosen value of such a setting counts.
    """
    if job.reasons.get(name) not in CHOSEN:
        return None
    value = getattr(job.train, name)
    if not job.recommended and name in COMPUTED:
        return Departure(name, value, None)
    plain = recommended_value(job, name)
    return None if _same(value, plain) else Departure(name, value, plain)


def recommended_value(job: JobConfig, name: str) -> Any:
    """Return the value that a setting has where nobody chooses it; None also where an older job does not tell it."""
    if name == "lora_alpha":
        return 2 * job.train.r
    if name == "load_best_model_at_end":
        return job.train.early_stopping_patience is not None
    if not job.recommended and name in COMPUTED:
        return None
    return job.recommended.get(name, TrainConfig.model_fields[name].default)


def own_rate(job: JobConfig) -> float | None:
    """Return the model's own learning rate in this job; no higher one is ever proposed."""
    if job.reasons.get("learning_rate") not in CHOSEN and not job.train.stages:
        return job.train.learning_rate
    rate = job.recommended.get("learning_rate")
    return None if rate is None else float(rate)


def peak_rate(config: TrainConfig) -> float:
    """Return the highest learning rate of a run, whatever its schedule."""
    return max((stage.learning_rate for stage in config.stages), default=config.learning_rate)


def rate_departure(job: JobConfig) -> Departure | None:
    """Return the learning rate of a job when its highest one is not the model's own."""
    rate, own = peak_rate(job.train), own_rate(job)
    if own is None:
        return departure(job, "learning_rate")
    return None if _same(rate, own) else Departure("learning_rate", rate, own)


def steps_of(job: JobConfig) -> tuple[int, int] | None:
    """Return the optimizer steps of a job, and those it has with the recommended values; None when it does not tell."""
    if job.num_rows is None or not job.recommended:
        return None
    values = job.train.model_dump(mode="json")
    plain = {name: recommended_value(job, name) for name in LENGTH}
    mine, recommended = planned_steps(values, job.num_rows), planned_steps({**values, **plain}, job.num_rows)
    return None if mine is None or recommended is None else (mine, recommended)


def length_departures(job: JobConfig) -> list[Departure]:
    """Return the settings that decide how long a run is, where they depart."""
    return [found for name in LENGTH if (found := departure(job, name)) is not None]


def train_command(job: JobConfig, returned: Iterable[str] = (), **changes: Any) -> str:
    """Return `train …` that repeats a job with some settings back at their recommended values and others changed."""
    return f"train {_train_words(job, set(returned), changes)}"


def _train_words(job: JobConfig, gone: Set[str], changes: Mapping[str, Any]) -> str:
    words = ["--model", model_word(job), "--data", shell_word(job.data.path)]
    if job.eval_data is not None:
        words += ["--eval-data", shell_word(job.eval_data.path)]
    words += read_words(job.data)
    for name in TrainConfig.model_fields:
        value = changes.get(name, getattr(job.train, name))
        if name in gone or value is None or (name not in changes and departure(job, name) is None):
            continue
        if name == "drop_overlong" and value:
            words.append("--drop-overlong")
        elif name in OPTIONS:
            words += [OPTIONS[name], shlex.quote(str(value))]
        else:
            words.append(settings_words({name: value}))
    return " ".join(words)


def model_word(job: JobConfig) -> str:
    """Return the model as a command names it: a bundled one by name, another by its folder."""
    has_name = is_bundled(job) or job.base_kind in ("ollama", "package", "hub")
    return shell_word(job.base_model if has_name else job.base_dir)


def is_bundled(job: JobConfig) -> bool:
    """Tell whether the base model is one of the package; older jobs do not tell its kind, but where it lay."""
    return job.base_kind == "bundled" or Path(job.base_dir).is_relative_to(str(resources.files("llmlora")))


class _ReadAs(Protocol):
    """How a data file is read: of a job, or asked for."""

    @property
    def format(self) -> str | None: ...
    @property
    def columns(self) -> Mapping[str, str]: ...
    @property
    def encoding(self) -> str | None: ...


def read_words(data: _ReadAs) -> list[str]:
    """Return the options that say how a data file is read."""
    words = ["--format", data.format] if data.format else []
    for field, column in data.columns.items():
        words += ["--map", shlex.quote(f"{field}={column}")]
    return [*words, "--encoding", shlex.quote(data.encoding)] if data.encoding else words


def lower_rate(job: JobConfig) -> dict[str, Any]:
    """Return the settings after a run that diverged: the model's own rate (None: as recommended), or one below it."""
    found = rate_departure(job)
    if found is None or found.recommended is None or found.value < found.recommended:
        return {"learning_rate": float(f"{SLOWER * peak_rate(job.train):.2g}"), **_plain_schedule(job)}
    return dict.fromkeys(("learning_rate", *(("stages", "lr_scheduler_type") if job.train.stages else ())))


def lower_rate_words(job: JobConfig) -> str:
    """Return the words behind `llmlora train` for the run after one that diverged."""
    settings = lower_rate(job)
    returned = {name for name, value in settings.items() if value is None}
    return _train_words(job, returned, {name: value for name, value in settings.items() if name not in returned})


def longer(job: JobConfig, factor: float, most_epochs: int) -> dict[str, Any]:
    """Return the settings of a longer run; empty when it has the most epochs that are proposed already."""
    config = job.train
    if config.max_steps is not None:
        return {"max_steps": math.ceil(config.max_steps * factor)}
    before = sum(stage.epochs for stage in config.stages) or config.num_train_epochs
    after = min(most_epochs, MOST_EPOCHS, math.ceil(before * factor))
    return {"num_train_epochs": after, **_plain_schedule(job)} if after > before else {}


def settings_words(values: Mapping[str, Any]) -> str:
    """Return settings as options of `llmlora train` that a shell takes as they stand."""
    return " ".join(f"--set {shlex.quote(f'{name}={_text(value)}')}" for name, value in values.items())


def settings_text(values: Mapping[str, Any]) -> str:
    """Return settings as the reader gives them: options in a terminal, names with values on a page."""
    if is_page():
        return ", ".join(f"{name} = {_text(value)}" for name, value in values.items())
    return settings_words(values)


def _plain_schedule(job: JobConfig) -> dict[str, Any]:
    """Return what replaces stages, which would decide rate and length."""
    return {"lr_scheduler_type": "linear", "stages": ()} if job.train.stages else {}


def _shown(value: Any) -> str:
    """Return a value as people read it; stages as in the plan, a dash for nothing."""
    if isinstance(value, tuple) and value and isinstance(value[0], Stage):
        return ", ".join(f"{stage.learning_rate:g} x {stage.epochs:g}" for stage in value)
    return "–" if value is None or value == () else _text(value)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, int | float) and isinstance(other, int | float) and not isinstance(one, bool):
        return math.isclose(one, other, rel_tol=1e-9)
    return _text(one) == _text(other)


def _text(value: Any) -> str:
    """Return a value as `--set` takes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        if not value or isinstance(value[0], Stage | dict):
            return json.dumps([stage.model_dump() if isinstance(stage, Stage) else stage for stage in value])
        return ",".join(map(str, value))
    return "null" if value is None else str(value)
