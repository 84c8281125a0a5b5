"""Whatever the run was, no setting that is proposed for the next one is refused."""

from __future__ import annotations

import itertools
import math
import shlex
from collections.abc import Callable
from typing import Any

import pytest

from evaluation.fake_reports import ROWS, evaluation_body
from llmlora.cli.words import settings_of
from llmlora.core.config import TrainConfig, build_config
from llmlora.core.memory import smaller_settings
from llmlora.core.next_run import next_settings
from llmlora.core.recommend import Facts, resolve_config
from llmlora.engine.schedule import total_steps
from llmlora.evaluation.advice import advise
from llmlora.evaluation.findings import find_in_run

NUM_ROWS = 8
MOST_STEPS = 80
ADAPTER = {"r": 8, "lora_alpha": 16.0, "target_modules": "all-linear", "use_rslora": False, "use_dora": False}
STAGES = [{"learning_rate": 0.1, "epochs": 0.1}, {"learning_rate": 1e-4, "epochs": 8.2}]
LENGTHS: list[dict[str, Any]] = [
    {"num_train_epochs": 0.2},
    {"num_train_epochs": 1, "warmup_steps": 7},
    {"num_train_epochs": 10, "warmup_steps": 79},
    {"num_train_epochs": 10_000},
    {"max_steps": 1},
    {"max_steps": 8, "warmup_steps": 7},
    {"max_steps": 80},
    {"lr_scheduler_type": "staged", "stages": STAGES, "warmup_steps": 60},
]
KINDS: list[dict[str, Any]] = [
    {"method": "full"},
    {"init_adapter": "adapter", "r": 8},
    {"r": 1, "max_length": 64, "gradient_checkpointing": True},
    {"r": 512, "lora_alpha": 4096},
]
RATES = (1e-9, 9e-3, 1.0)
BATCHES = ((1, 1), (2, 4096), (1, 4096), (6, 3000))


LOSSES = {
    "not falling": lambda part: 3.0 - 0.1 * part,
    "rising": lambda part: 1.0 + 5 * part,
    "known by heart": lambda part: 3.0 * math.exp(-20 * part),
    "falling still": lambda part: 4.0 - 3.0 * part,
    "jumping": lambda part: 1.5 if int(10 * part) % 2 else 1.0,
}
HELD_OUT = ((3.0, 1.0, 2.0), (1.0, 2.0, 3.0))


def run_of(config: TrainConfig, loss: Callable[[float], float]) -> list[dict[str, Any]]:
    """Return the step records of a run with one explosion; a long run was stopped early."""
    per_epoch = math.ceil(NUM_ROWS / config.effective_batch_size)
    total = min(MOST_STEPS, total_steps(config, per_epoch))
    return [
        {"step": step, "epoch": step / per_epoch, "loss": loss(step / total), "grad_norm": 5000.0 if step == 3 else 1.0}
        for step in range(1, total + 1)
    ]


def held_out(run: list[dict[str, Any]], losses: tuple[float, ...]) -> list[dict[str, Any]]:
    """Return evaluations before training, in the middle and at the end."""
    return [{"step": len(run) * number // 2, "eval_loss": loss} for number, loss in enumerate(losses)]


def reports() -> list[dict[str, Any]]:
    """Return evaluations that between them give every piece of advice with settings."""
    bad = evaluation_body(ROWS)
    bad["forgetting"]["light"] = "red"
    bad["loss"]["trained"] = None
    return [bad, evaluation_body([(question, wanted, same, same) for question, wanted, same, _ in ROWS])]


def proposals(config: TrainConfig) -> list[str]:
    """Return all settings that are proposed to somebody after such a run."""
    runs = [run_of(config, loss) for loss in LOSSES.values()]
    pairs = itertools.product(runs, HELD_OUT)
    findings = [found for run, losses in pairs for found in find_in_run(config, run, held_out(run, losses), 1e-9)]
    pieces = [piece for report in reports() for piece in advise(config, report)]
    params = [*(finding.params for finding in findings), *(piece["params"] for piece in pieces)]
    words = [values[name] for values in params for name in ("settings", "other") if name in values]
    return [*sorted(set(words)), *smaller_settings(config), next_settings(config, rate=0.1)]


def next_config(config: TrainConfig, words: str) -> TrainConfig:
    """Return the configuration of `llmlora train JOB/config.json` with these words behind it."""
    parts = shlex.split(words)
    assert parts[::2] == ["--set"] * (len(parts) // 2)
    facts = Facts(NUM_ROWS, 10_000_000, 2048, {})
    recipe = config.model_dump(mode="json")
    adapter = ADAPTER if config.init_adapter else None
    return resolve_config(facts, recipe=recipe, overrides=settings_of(parts[1::2]), adapter=adapter).config


@pytest.mark.parametrize("length", LENGTHS)
def test_no_proposed_setting_is_refused(length: dict[str, Any]) -> None:
    for kind, rate in itertools.product(KINDS, RATES):
        config = build_config({**length, **kind, "learning_rate": rate, "per_device_train_batch_size": 1})
        for words in proposals(config):
            next_config(config, words)


@pytest.mark.parametrize(("batch", "accumulation"), BATCHES)
@pytest.mark.parametrize("kind", KINDS)
def test_no_smaller_setting_is_refused(kind: dict[str, Any], batch: int, accumulation: int) -> None:
    sizes = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulation}
    config = build_config({**kind, **sizes})
    for words in smaller_settings(config):
        next_config(config, words)


def test_a_shorter_run_has_a_shorter_warm_up() -> None:
    config = TrainConfig(num_train_epochs=10, warmup_steps=79)
    assert next_settings(config, length=0.1) == "--set num_train_epochs=1 --set warmup_steps=7"
    assert (
        next_settings(TrainConfig(max_steps=8, warmup_steps=7), length=0.5) == "--set max_steps=4 --set warmup_steps=3"
    )
    assert next_settings(TrainConfig(num_train_epochs=1), length=0.5) == "--set num_train_epochs=0.5"


def test_stages_give_way_in_words_that_a_shell_takes() -> None:
    config = build_config({"lr_scheduler_type": "staged", "stages": STAGES})
    words = shlex.split(next_settings(config, rate=4))
    assert "'stages=[]'" in next_settings(config, rate=4)
    proposed = build_config({**config.model_dump(), **settings_of(words[1::2])})
    assert (proposed.stages, proposed.learning_rate, proposed.num_train_epochs) == ((), 0.1, 17)


def test_a_micro_batch_is_halved_where_accumulation_is_at_its_limit() -> None:
    config = TrainConfig(per_device_train_batch_size=6, gradient_accumulation_steps=4096, gradient_checkpointing=True)
    assert smaller_settings(config)[0] == "--set per_device_train_batch_size=3"
    config = TrainConfig(per_device_train_batch_size=6, gradient_accumulation_steps=2000)
    assert smaller_settings(config)[0] == "--set per_device_train_batch_size=3 --set gradient_accumulation_steps=4000"
