"""The learning rate of each step, as a function of the step number alone."""

from __future__ import annotations

import math

from llmlora.core.config import TrainConfig
from llmlora.core.epochs import exact_epochs, steps_in
from llmlora.core.job import FIRST_RULES, RULES


def total_steps(config: TrainConfig, steps_per_epoch: int, rules: int = RULES) -> int:
    """Return the optimizer steps of a run; `rules` are those its job was made under."""
    if config.max_steps is not None:
        return config.max_steps
    epochs = [stage.epochs for stage in config.stages] or [config.num_train_epochs]
    if rules == FIRST_RULES:
        return max(1, math.ceil(sum(epochs) * steps_per_epoch))
    return steps_in(epochs, steps_per_epoch)


def learning_rate_at(step: int, total: int, steps_per_epoch: int, config: TrainConfig, rules: int = RULES) -> float:
    """Return the learning rate of a step (0-based): warm-up from 0, then the chosen shape over `total` steps.

    The peak is `learning_rate`, or that of the stage in a staged schedule.
    """
    is_staged = config.lr_scheduler_type == "staged"
    peak = _stage_rate(step, steps_per_epoch, config, rules) if is_staged else config.learning_rate
    if step < config.warmup_steps:
        return peak * (step + 1) / config.warmup_steps
    if is_staged:
        return peak
    progress = (step - config.warmup_steps) / max(1, total - config.warmup_steps)
    return peak * _shape(progress, config)


def _shape(progress: float, config: TrainConfig) -> float:
    if config.lr_scheduler_type == "linear":
        return 1 - progress
    if config.lr_scheduler_type == "cosine":
        return 0.5 * (1 + math.cos(math.pi * progress))
    if config.lr_scheduler_type == "cosine_with_restarts":
        return 0.5 * (1 + math.cos(math.pi * ((progress * config.num_cycles) % 1.0)))
    return 1.0


def _stage_rate(step: int, steps_per_epoch: int, config: TrainConfig, rules: int) -> float:
    number = float if rules == FIRST_RULES else exact_epochs
    epoch, end = number(step) / steps_per_epoch, number(0)
    for stage in config.stages:
        end += number(stage.epochs)
        if epoch < end:
            return stage.learning_rate
    return config.stages[-1].learning_rate
