"""Settings: all problems at once, short names at the edge, presets and recommended values by origin."""

import pytest

from llmlora.core.config import ALIASES, TrainConfig, build_config
from llmlora.core.errors import ConfigError
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.core.recommend import Facts, resolve_config

FACTS = Facts(num_rows=20, num_parameters=6_000_000, context_length=2048, own_values={})


def problems_of(values):
    with pytest.raises(ConfigError) as caught:
        build_config(values)
    return {(problem["field"], problem["code"]) for problem in caught.value.params["problems"]}


def test_short_names_are_accepted_at_the_edge():
    config = build_config({"rank": 4, "alpha": 8, "lr": "1e-3", "epochs": 2, "batch_size": 3})
    assert (config.r, config.lora_alpha, config.learning_rate) == (4, 8, 1e-3)
    assert (config.num_train_epochs, config.per_device_train_batch_size) == (2, 3)
    assert set(ALIASES.values()) <= set(TrainConfig.model_fields)


def test_all_bad_values_are_reported_together():
    found = problems_of({"r": 0, "learning_rate": "fast", "no_such_key": 1, "dtype": "int8"})
    assert found == {
        ("r", "bad_value"),
        ("learning_rate", "bad_value"),
        ("no_such_key", "unknown_setting"),
        ("dtype", "bad_value"),
    }


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"method": "qlora"}, {("method", "qlora_unavailable")}),
        (
            {"method": "full", "use_dora": True, "use_rslora": True},
            {("use_dora", "lora_only"), ("use_rslora", "lora_only")},
        ),
        ({"lr_scheduler_type": "staged"}, {("stages", "stages_missing")}),
        ({"max_steps": 5, "warmup_steps": 5}, {("warmup_steps", "warmup_too_long")}),
        ({"target_modules": []}, {("target_modules", "no_target_modules")}),
        ({"learning_rate": float("nan")}, {("learning_rate", "bad_value")}),
    ],
)
def test_impossible_combinations_are_refused(values, expected):
    assert problems_of(values) == expected


def test_lists_may_be_written_with_commas():
    assert build_config({"target_modules": "q_proj, v_proj"}).target_modules == ("q_proj", "v_proj")
    assert build_config({"report_to": "none"}).report_to == ()


def test_every_preset_but_qlora_resolves():
    for name in LORA_PRESETS:
        resolve_config(FACTS, preset=name)
    for name in TRAINING_PRESETS:
        if name == "large32b":
            with pytest.raises(ConfigError):
                resolve_config(FACTS, training_preset=name)
        else:
            resolve_config(FACTS, training_preset=name)


def test_balanced_preset_has_the_required_values():
    config = resolve_config(FACTS, preset="balanced").config
    assert (config.r, config.lora_alpha, config.lora_dropout) == (8, 16, 0.05)
    assert set(config.target_modules) == {"q_proj", "k_proj", "v_proj", "o_proj"}


def test_a_later_source_wins_and_keys_it_does_not_name_stay():
    own = Facts(20, 6_000_000, 2048, {"learning_rate": 0.005})
    resolved = resolve_config(
        own, recipe={"seed": 7}, training_preset="standard", preset="efficient", overrides={"num_train_epochs": 9}
    )
    assert resolved.config.learning_rate == 3e-5
    assert resolved.origins["learning_rate"] == "preset"
    assert resolved.config.num_train_epochs == 9
    assert resolved.config.per_device_train_batch_size == 2
    assert resolved.config.seed == 7
    assert resolve_config(own).origins["learning_rate"] == "model"


def test_alpha_follows_a_rank_given_without_it():
    assert resolve_config(FACTS, overrides={"r": 12}).config.lora_alpha == 24
    assert resolve_config(FACTS, preset="light", overrides={"r": 32}).config.lora_alpha == 64
    assert resolve_config(FACTS, overrides={"r": 12, "lora_alpha": 5}).config.lora_alpha == 5


def test_few_rows_get_more_epochs_than_many():
    few = resolve_config(Facts(5, 6_000_000, 2048, {})).config
    many = resolve_config(Facts(5000, 6_000_000, 2048, {})).config
    assert few.num_train_epochs > 10
    assert many.num_train_epochs == 3
    assert few.per_device_train_batch_size < many.per_device_train_batch_size
