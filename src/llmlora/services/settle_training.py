"""Settle every value of a run: what was asked for, what an adapter fixes, and what model and rows recommend."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from llmlora.catalog.base_model import BaseModel
from llmlora.catalog.trained_size import linear_layers
from llmlora.core.bundled_templates import TEMPLATE_NAMES
from llmlora.core.config import TrainConfig
from llmlora.core.recommend import Facts, Resolved, resolve_config
from llmlora.data.validate import CheckReport
from llmlora.services.preview import count_training_rows
from llmlora.services.recipe import adapter_dir, adapter_values
from llmlora.services.train_request import TrainRequest

LONGEST_CHARACTER, EXTRA_TOKENS = 4, 3  # no text has more tokens than bytes, besides those that a tokenizer adds


def settle(request: TrainRequest, base: BaseModel, report: CheckReport) -> tuple[Resolved, int]:
    """Settle every value, and return how many training rows there are.

    Where an example may make several rows, or none, they are counted before the steps are: with what was settled
    without them, and which does not depend on their number.

    Raises:
        ConfigError: settings that cannot work. NotFound, ModelFileError: the adapter to start from.
    """
    resolve, facts = _asked(request, base), _facts(request, base, report)
    first = resolve(replace(facts, is_estimate=True))
    if not _may_differ(report, first.config):
        return resolve(facts), report.num_examples
    counted = count_training_rows(request.data, base, request.read, first.config)
    num_rows = counted["num_rows"]
    return resolve(replace(facts, num_rows=num_rows, num_train_rows=counted["num_train_rows"])), num_rows


def _asked(request: TrainRequest, base: BaseModel) -> Callable[[Facts], Resolved]:
    """Return what settles the values for given facts; the adapter to start from is read here, once."""
    recipe, settings = _absolute_files(request.recipe), _absolute_files(request.settings)
    init_adapter = settings.get("init_adapter", recipe.get("init_adapter"))
    return partial(
        resolve_config,
        recipe=recipe,
        training_preset=request.training_preset,
        preset=request.preset,
        overrides=settings,
        adapter=adapter_values(Path(init_adapter), base) if isinstance(init_adapter, str) else None,
    )


def _facts(request: TrainRequest, base: BaseModel, report: CheckReport) -> Facts:
    return Facts(
        num_rows=report.num_examples,
        num_examples=report.num_examples,
        has_different_rows=report.stats["num_duplicates"] < report.num_examples - 1,
        num_parameters=base.num_parameters,
        context_length=base.context_length,
        own_values=base.recommended,
        has_eval_data=request.eval_data is not None,
        layers=linear_layers(base.tensors),
    )


def _may_differ(report: CheckReport, config: TrainConfig) -> bool:
    """Tell whether there may be other training rows than one of each example, or others held out than their share."""
    stats = report.stats
    if report.format == "text" and config.split_long_text:
        return bool(LONGEST_CHARACTER * stats["characters"]["max"] + EXTRA_TOKENS > config.max_length)
    has_copies = bool(config.validation_split and stats["num_duplicates"])
    return config.drop_overlong or has_copies or stats["answers"]["max"] > 1


def _absolute_files(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the files they name made absolute, so that the job can go on from anywhere."""
    absolute = dict(settings)
    adapter, template = settings.get("init_adapter"), settings.get("chat_template")
    if isinstance(adapter, str):
        absolute["init_adapter"] = str(adapter_dir(Path(adapter)).absolute())
    if isinstance(template, str) and template not in TEMPLATE_NAMES:
        path = os.path.expanduser(template)
        if os.path.isfile(path):  # else it is refused by the name that was given; never raises, whatever the name
            absolute["chat_template"] = os.path.abspath(path)
    return absolute
