"""Settings proposed for a next run, as words to paste behind its `config.json`: none of them is refused."""

from __future__ import annotations

import math
import shlex
from typing import Any, Final

from llmlora.core.config import MOST_EPOCHS, TrainConfig

HIGHEST_RATE: Final = 1e-2  # no higher rate is proposed, though a run may have one


def peak_rate(config: TrainConfig) -> float:
    """Return the highest learning rate of a run, whatever its schedule."""
    return max((stage.learning_rate for stage in config.stages), default=config.learning_rate)


def planned_epochs(config: TrainConfig) -> float:
    """Return the epochs of a run that max_steps does not limit."""
    return sum(stage.epochs for stage in config.stages) or config.num_train_epochs


def next_settings(
    config: TrainConfig, *, rate: float | None = None, length: float | None = None, **changes: Any
) -> str:
    """Return `--set` words for the next run: learning rate and length times a factor, other fields as given.

    A rate that is high already is not raised; the run becomes longer instead. Stages become a plain schedule, because
    they would decide both.
    """
    values: dict[str, Any] = {}
    if config.stages and (rate or length):
        values = {"lr_scheduler_type": "linear", "stages": "[]"}
        rate, length = rate or 1, length or 1
    if rate is not None and rate > 1 and peak_rate(config) >= HIGHEST_RATE:
        rate, length = None, length if length not in (None, 1) else 2
        if config.stages:
            rate = 1
    if rate is not None:
        highest = max(HIGHEST_RATE, peak_rate(config))
        values["learning_rate"] = f"{min(highest, rate * peak_rate(config)):.2g}"
    if length is not None:
        values.update(_length(config, length))
    values.update(changes)
    return settings_words(values)


def settings_words(values: dict[str, Any]) -> str:
    """Return settings as options of `llmlora train` that a shell takes as they stand."""
    return " ".join(f"--set {shlex.quote(f'{name}={value}')}" for name, value in values.items())


def _length(config: TrainConfig, factor: float) -> dict[str, Any]:
    """Return the settings of a run that is longer or shorter; its warm-up shrinks with it, or would outlast it."""
    before = config.max_steps or planned_epochs(config)
    if config.max_steps:
        name, after = "max_steps", float(max(1, math.ceil(config.max_steps * factor)))
    else:
        name, after = "num_train_epochs", _epochs(before, factor)
    values: dict[str, Any] = {name: f"{round(after, 9):.10g}"}
    if after < before and config.warmup_steps:
        values["warmup_steps"] = math.floor(config.warmup_steps * after / before)
    return values


def _epochs(before: float, factor: float) -> float:
    """Return whole epochs, but never more than before when fewer are wanted."""
    whole = max(1, math.ceil(before * factor))
    if factor == 1:
        return min(MOST_EPOCHS, before)
    if factor < 1 and whole >= before:
        return float(f"{before * factor:.2g}")
    return min(MOST_EPOCHS, whole)
