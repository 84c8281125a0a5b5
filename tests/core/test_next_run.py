"""The proposed command: whatever the run was, it is accepted as it stands, and makes the run that is meant."""

from __future__ import annotations

import itertools
import shlex
from typing import Any

import pytest

from evaluation.fake_reports import planned_job
from llmlora.cli.words import columns_of, settings_of
from llmlora.core.config import TrainConfig, build_config
from llmlora.core.job import JobConfig
from llmlora.core.memory import smaller_settings
from llmlora.core.next_run import (
    departure,
    longer,
    lower_rate_words,
    own_rate,
    peak_rate,
    rate_departure,
    read_words,
    settings_words,
    steps_of,
    train_command,
)
from llmlora.core.recommend import Facts, resolve_config
from llmlora.data.read import ReadOptions

ADAPTER = {"r": 8, "lora_alpha": 16.0, "target_modules": "all-linear", "use_rslora": False, "use_dora": False}
STAGES = [{"learning_rate": 0.1, "epochs": 0.1}, {"learning_rate": 1e-4, "epochs": 8.2}]
KINDS: list[dict[str, Any]] = [
    {"method": "full"},
    {"init_adapter": "my adapter", "r": 8},
    {"r": 1, "max_length": 64, "gradient_checkpointing": True, "target_modules": ["q_proj", "v_proj"]},
    {"r": 512, "lora_alpha": 4096, "layers": [0, 1], "report_to": "none"},
    {"system": "no: 'yes'", "chat_template": "chatml", "drop_overlong": True, "seed": 7},
    {"lr_scheduler_type": "staged", "stages": STAGES, "warmup_steps": 6},
    {"validation_split": 0.2, "early_stopping_patience": 2, "load_best_model_at_end": False, "eval_steps": 5},
]
BATCHES = ((1, 1), (2, 4096), (1, 4096), (6, 3000))


def settings_in(command: str, job: JobConfig) -> dict[str, Any]:
    """Return the settings of a printed command, as the command line reads them."""
    words = shlex.split(command)
    assert words[:5] == ["train", "--model", "nano", "--data", job.data.path]
    settings, place = {}, 5
    while place < len(words):
        if words[place] == "--drop-overlong":
            settings["drop_overlong"] = True
            place += 1
            continue
        name, value = words[place], words[place + 1]
        settings.update(settings_of([value]) if name == "--set" else {name[2:].replace("-", "_"): value})
        place += 2
    return settings


def next_config(job: JobConfig, command: str) -> TrainConfig:
    """Return the configuration of the run that a printed command makes."""
    facts = Facts(job.num_rows or 20, 4_700_000, 2048, {"learning_rate": 2e-3})
    adapter = ADAPTER if job.train.init_adapter else None
    return resolve_config(facts, overrides=settings_in(command, job), adapter=adapter).config


@pytest.mark.parametrize("settings", KINDS)
@pytest.mark.parametrize("is_older", [False, True])
def test_a_repeated_run_is_the_same_run(settings: dict[str, Any], is_older: bool) -> None:
    job = planned_job(**settings, is_older=is_older)
    assert next_config(job, train_command(job)) == job.train


def test_a_recommended_run_needs_no_settings_and_a_returned_one_neither() -> None:
    plain = "train --model nano --data '/my data/it'\"'\"'s.jsonl'"
    assert train_command(planned_job()) == plain
    job = planned_job(learning_rate=1, r=4, seed=3)
    assert train_command(job, {"learning_rate"}) == f"{plain} --set r=4 --set seed=3"
    assert next_config(job, train_command(job, {"learning_rate", "r", "seed"})) == planned_job().train


def test_a_change_stands_in_the_command_even_as_a_default() -> None:
    job = planned_job(num_train_epochs=3)
    command = train_command(job, num_train_epochs=TrainConfig.model_fields["num_train_epochs"].default)
    assert next_config(job, command).num_train_epochs == 3
    assert next_config(job, train_command(job, num_train_epochs=7.5)).num_train_epochs == 7.5


def test_a_folder_is_named_as_the_model_and_reading_options_stay() -> None:
    job = planned_job().model_copy(update={"base_dir": "/my models/gemma", "base_model": "./gemma"})
    words = read_words(ReadOptions(format="instruction", columns={"instruction": "質問 1"}, encoding="cp932"))
    assert "--model '/my models/gemma' " in train_command(job)
    assert words[:2] == ["--format", "instruction"]
    assert columns_of([shlex.split(words[3])[0]]) == {"instruction": "質問 1"}
    assert words[4:] == ["--encoding", "cp932"]


def test_departures_name_the_value_and_the_recommended_one() -> None:
    job = planned_job(learning_rate=0.05, num_train_epochs=3, r=8, max_steps=20)
    rate = departure(job, "learning_rate")
    assert rate is not None
    assert rate.words == "learning_rate 0.05 → 0.002"
    assert departure(job, "r") is None, "chosen as recommended is no departure"
    assert departure(job, "lora_alpha") is None
    steps = departure(job, "max_steps")
    assert steps is not None
    assert steps.words == "max_steps 20 → –"
    assert steps_of(job) == (20, 150)
    assert own_rate(job) == 2e-3


def test_an_older_job_does_not_tell_what_was_recommended() -> None:
    job = planned_job(is_older=True, learning_rate=0.05, max_length=64)
    rate = departure(job, "learning_rate")
    assert rate is not None
    assert (rate.value, rate.recommended, own_rate(job), steps_of(job)) == (0.05, None, None, None)
    assert own_rate(planned_job(is_older=True)) == 2e-3, "nobody chose it, so it is the recommended one"


def test_the_highest_rate_of_stages_counts() -> None:
    job = planned_job(lr_scheduler_type="staged", stages=STAGES)
    assert peak_rate(job.train) == 0.1
    rate = rate_departure(job)
    assert rate is not None
    assert (rate.value, rate.recommended) == (0.1, 2e-3)


@pytest.mark.parametrize(("rate", "following"), [(1.0, 2e-3), (2e-3, 2e-4), (1e-3, 1e-4)])
def test_a_run_that_diverged_is_repeated_at_the_own_rate_or_lower(rate: float, following: float) -> None:
    job = planned_job(learning_rate=rate)
    assert next_config(job, "train " + lower_rate_words(job)).learning_rate == following


def test_diverged_stages_give_way() -> None:
    job = planned_job(lr_scheduler_type="staged", stages=STAGES)
    after = next_config(job, "train " + lower_rate_words(job))
    assert (after.stages, after.learning_rate, after.lr_scheduler_type) == ((), 2e-3, "linear")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"num_train_epochs": 10}, {"num_train_epochs": 20}),
        ({"num_train_epochs": 80}, {"num_train_epochs": 100}),
        ({"num_train_epochs": 0.4}, {"num_train_epochs": 1}),
        ({"num_train_epochs": 3000}, {}),
        ({"max_steps": 30}, {"max_steps": 60}),
        (
            {"lr_scheduler_type": "staged", "stages": STAGES},
            {"num_train_epochs": 17, "stages": (), "lr_scheduler_type": "linear"},
        ),
    ],
)
def test_longer_has_its_bounds(settings: dict[str, Any], expected: dict[str, Any]) -> None:
    job = planned_job(**settings)
    assert longer(job, 2, 100) == expected
    next_config(job, train_command(job, **expected))


@pytest.mark.parametrize(("batch", "accumulation"), BATCHES)
@pytest.mark.parametrize("kind", KINDS[:4])
def test_no_smaller_setting_is_refused(kind: dict[str, Any], batch: int, accumulation: int) -> None:
    sizes = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": accumulation}
    config = build_config({**kind, **sizes})
    for words in smaller_settings(config, least_length=8):
        parts = shlex.split(words)
        build_config({**config.model_dump(mode="json"), **settings_of(parts[1::2])})


def test_a_micro_batch_is_halved_where_accumulation_is_at_its_limit() -> None:
    config = TrainConfig(per_device_train_batch_size=6, gradient_accumulation_steps=4096, gradient_checkpointing=True)
    assert smaller_settings(config)[0] == "--set per_device_train_batch_size=3"
    config = TrainConfig(per_device_train_batch_size=6, gradient_accumulation_steps=2000)
    assert smaller_settings(config)[0] == "--set per_device_train_batch_size=3 --set gradient_accumulation_steps=4000"


def test_words_are_read_back_as_they_were() -> None:
    values = {"stages": STAGES, "layers": (1, 2), "use_dora": True, "learning_rate": 1e-5, "r": 3, "report_to": ()}
    words = shlex.split(settings_words(values))
    assert words[::2] == ["--set"] * len(values)
    read = build_config({**settings_of(words[1::2]), "lr_scheduler_type": "staged"})
    assert read == build_config({**values, "lr_scheduler_type": "staged"})


def test_all_combinations_of_kinds_are_accepted() -> None:
    for one, other in itertools.combinations(KINDS[2:6], 2):
        job = planned_job(**{**one, **other})
        assert next_config(job, train_command(job)) == job.train


def test_a_bundled_model_is_named_wherever_it_lay() -> None:
    """The package may have been installed anew, in another place, since the job ran."""
    moved = planned_job().model_copy(update={"base_dir": "/an older place/models/nano", "base_kind": "bundled"})
    assert train_command(moved).startswith("train --model nano ")
    unknown = moved.model_copy(update={"base_kind": "folder"})
    assert train_command(unknown).startswith("train --model '/an older place/models/nano' ")
