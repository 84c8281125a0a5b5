"""Settings: all problems at once, short names at the edge, presets and recommended values by origin."""

import dataclasses

import pytest

from llmlora.core.config import ALIASES, TrainConfig, build_config
from llmlora.core.errors import ConfigError
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.core.recommend import Facts, own_rate, resolve_config

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


def test_every_preset_resolves():
    for name in LORA_PRESETS:
        resolve_config(FACTS, preset=name)
    for name in TRAINING_PRESETS:
        resolve_config(FACTS, training_preset=name)


# product.md, "Presets (exact values)"
EXACT = {
    ("preset", "light"): {"r": 4, "lora_alpha": 8, "lora_dropout": 0.1, "target_modules": "all-linear"},
    ("preset", "balanced"): {"r": 8, "lora_alpha": 16, "lora_dropout": 0.05, "target_modules": {"q", "k", "v", "o"}},
    ("preset", "high"): {
        "r": 16, "lora_alpha": 32, "lora_dropout": 0.1, "target_modules": {"q", "k", "v", "o", "gate", "up"},
    },
    ("preset", "efficient"): {
        "r": 12, "lora_alpha": 24, "lora_dropout": 0.1, "learning_rate": 3e-5, "num_train_epochs": 4,
    },
    ("training_preset", "standard"): {
        "learning_rate": 5e-5, "num_train_epochs": 1, "per_device_train_batch_size": 2, "max_length": 512,
    },
    ("training_preset", "manual"): {
        "r": 16, "lora_alpha": 32, "learning_rate": 3e-4, "per_device_train_batch_size": 4, "num_train_epochs": 3,
    },
    ("training_preset", "experiment1"): {"r": 16, "learning_rate": 5e-5, "num_train_epochs": 5},
    ("training_preset", "experiment2"): {"r": 4, "lora_alpha": 8, "learning_rate": 2e-4, "num_train_epochs": 2},
    ("training_preset", "memory_saver"): {
        "per_device_train_batch_size": 1, "gradient_accumulation_steps": 16, "gradient_checkpointing": True,
        "dtype": "float16",
    },
    ("training_preset", "gpu8"): {"per_device_train_batch_size": 8, "r": 16},
    ("training_preset", "gpu16"): {"per_device_train_batch_size": 4, "r": 16},
    ("training_preset", "gpu24"): {"per_device_train_batch_size": 2, "r": 32},
    ("training_preset", "large32b"): {
        "method": "qlora", "r": 128, "lora_alpha": 32, "max_length": 512, "num_train_epochs": 2,
        "per_device_train_batch_size": 1, "gradient_accumulation_steps": 32, "gradient_checkpointing": True,
    },
}  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), EXACT, ids="=".join)
def test_a_preset_has_its_exact_values_and_changes_nothing_else(kind, name):
    config = resolve_config(FACTS, **{kind: name}).config.model_dump()
    for field, value in EXACT[kind, name].items():
        found = config[field]
        found = {target.removesuffix("_proj") for target in found} if isinstance(found, tuple) else found
        assert found == value, field
    plain = resolve_config(FACTS).config.model_dump()
    changed = {field for field in plain if config[field] != plain[field]}
    assert changed <= {*EXACT[kind, name], "lora_alpha", "learning_rate", "num_train_epochs"}


def test_every_preset_is_tested():
    named = {("preset", name) for name in LORA_PRESETS} | {("training_preset", name) for name in TRAINING_PRESETS}
    assert named - set(EXACT) == {("preset", "recommended"), ("training_preset", "recommended")}


@pytest.mark.parametrize("kind", ["preset", "training_preset"])
def test_an_unknown_preset_lists_those_that_exist(kind):
    with pytest.raises(ConfigError) as caught:
        resolve_config(FACTS, **{kind: "blanced"})
    assert caught.value.params["kind"] == f"--{kind.replace('_', '-')}"
    assert "recommended" in caught.value.params["known"]
    with pytest.raises(ConfigError) as caught:
        resolve_config(FACTS, **{kind: "Recomended"})
    assert caught.value.params["near"] == "recommended"


# each source with a learning rate of its own, in the order in which a later one wins
SOURCES = {
    "model": {"own": 0.011},
    "recipe": {"recipe": {"lr": 0.012}},
    "training_preset": {"training_preset": "standard"},
    "preset": {"preset": "efficient"},
    "set": {"overrides": {"learning_rate": 0.015}},
}
RATES = {"model": 0.011, "recipe": 0.012, "training_preset": 5e-5, "preset": 3e-5, "set": 0.015}


@pytest.mark.parametrize(
    ("earlier", "later"), [(first, second) for i, first in enumerate(SOURCES) for second in list(SOURCES)[i + 1 :]]
)
def test_of_two_sources_the_later_wins(earlier, later):
    given = {**SOURCES[earlier], **SOURCES[later]}
    own = {"learning_rate": given.pop("own")} if "own" in given else {}
    resolved = resolve_config(Facts(20, 6_000_000, 2048, own), **given)
    assert resolved.config.learning_rate == RATES[later]
    assert resolved.origins["learning_rate"] == later
    assert "learning_rate" not in resolved.reasons


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


def test_bad_values_and_impossible_combinations_come_together():
    found = problems_of({"r": 0, "layers": [], "lr_scheduler_type": "staged", "no_such": 1})
    assert found == {
        ("r", "bad_value"), ("layers", "no_layers"), ("stages", "stages_missing"), ("no_such", "unknown_setting"),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "close"),
    [("learning_rat", "learning_rate"), ("epoch", "epochs"), ("lora_alfa", "lora_alpha"), ("batchsize", "batch_size")],
)
def test_a_mistyped_name_gets_a_close_one(name, close):
    with pytest.raises(ConfigError) as caught:
        build_config({name: 1})
    (problem,) = caught.value.params["problems"]
    assert close in problem["close"]


def test_a_name_like_no_other_gets_no_guess():
    with pytest.raises(ConfigError) as caught:
        build_config({"xyzzy": 1})
    assert caught.value.params["problems"][0]["close"] == ""


@pytest.mark.parametrize("name", ["r", "seed", "learning_rate", "max_steps", "num_train_epochs"])
def test_yes_is_no_number(name):
    """YAML reads `r: yes` as true, which Python takes for 1."""
    assert problems_of({name: True}) == {(name, "bad_value")}


@pytest.mark.parametrize(
    ("given", "layers"), [(3, (3,)), ("0,1", (0, 1)), ("5", (5,)), ([2, 4], (2, 4)), (None, None), ("", None)]
)
def test_layers_are_written_in_any_usual_way(given, layers):
    if given == "":
        assert problems_of({"layers": ""}) == {("layers", "no_layers")}
    else:
        assert build_config({"layers": given}).layers == layers


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("r", 0, 513), ("lora_alpha", 0, 4097), ("lora_dropout", -0.1, 1.1), ("learning_rate", 0, 1.1),
        ("num_train_epochs", 0, 10_001), ("per_device_train_batch_size", 0, 4097), ("max_length", 7, 2_000_000),
        ("validation_split", -0.1, 1.0), ("warmup_steps", -1, None), ("save_total_limit", 1, None),
        ("seed", -1, 2**31), ("max_grad_norm", -1, None), ("weight_decay", -1, 2),
    ],
)  # fmt: skip
def test_limits(name, low, high):
    for value in (low, high):
        if value is not None:
            assert problems_of({name: value}) == {(name, "bad_value")}


@pytest.mark.parametrize(
    ("name", "value", "bound"), [("num_train_epochs", 99999, "10000"), ("learning_rate", 2, "1"), ("r", 0, "1")]
)
def test_a_limit_is_a_number_as_a_user_writes_it(name, value, bound):
    with pytest.raises(ConfigError) as caught:
        build_config({name: value})
    (problem,) = caught.value.params["problems"]
    assert list(problem["limit_params"].values()) == [bound]


def test_a_stage_with_a_wrong_value_is_a_problem_of_stages():
    stages = {"lr_scheduler_type": "staged", "stages": [{"learning_rate": 2, "epochs": 1}]}
    assert ("stages", "bad_value") in problems_of(stages)
    assert ("stages", "bad_value") in problems_of({**stages, "stages": [{"learning_rate": 1e-3, "epoch": 1}]})


def test_full_training_gets_a_smaller_rate_than_an_adapter():
    """Also where the model brings a rate of its own: that one is for adapters."""
    own = Facts(20, 6_000_000, 2048, {"learning_rate": 0.005})
    adapter, full = (resolve_config(own, overrides={"method": name}) for name in ("lora", "full"))
    assert adapter.config.learning_rate == 0.005
    assert full.config.learning_rate < 0.001
    assert full.origins["learning_rate"] == "recommended"
    assert resolve_config(own, overrides={"method": "full", "lr": 0.01}).config.learning_rate == 0.01


@pytest.mark.parametrize(("millions", "rate"), [(5, 1e-3), (500, 5e-4), (3_000, 3e-4), (7_000, 2e-4), (70_000, 1e-4)])
def test_the_recommended_rate_falls_with_size(millions, rate):
    assert resolve_config(Facts(100, millions * 1_000_000, 2048, {})).config.learning_rate == rate


def test_a_models_own_rate_is_its_makers_else_that_of_its_size():
    assert own_rate(4_700_000, {"learning_rate": 0.002}) == 0.002
    assert own_rate(4_700_000, {}) == 0.001
    assert own_rate(4_700_000, {"learning_rate": 0.002}, "full") == pytest.approx(0.0002)
    assert own_rate(7_000_000_000, {}) == 2e-4


@pytest.mark.parametrize("rows", [1, 2, 4, 5, 20, 39, 40, 1000, 10**6])
def test_recommended_values_fit_every_number_of_rows(rows):
    config = resolve_config(Facts(rows, 6_000_000, 512, {})).config
    assert 1 <= config.per_device_train_batch_size <= 8
    assert 3 <= config.num_train_epochs <= 30
    assert config.max_length == 512


def test_reasons_are_given_for_recommended_values_only():
    resolved = resolve_config(FACTS, overrides={"num_train_epochs": 2})
    assert "num_train_epochs" not in resolved.reasons
    assert resolved.reasons["per_device_train_batch_size"] == {"rows": 20}
    assert "num_train_epochs" not in resolve_config(FACTS, overrides={"max_steps": 5}).reasons


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("learning_rate", "1e-4", 1e-4), ("validation_split", "1e-1", 0.1), ("weight_decay", "1E-2", 0.01),
        ("num_train_epochs", "1e1", 10.0), ("max_grad_norm", " .5e0 ", 0.5), ("early_stopping_min_delta", "5e-3", 5e-3),
        ("r", "1e1", 10), ("max_steps", "1e2", 100), ("eval_steps", "2e0", 2), ("seed", "+7e0", 7),
        ("max_length", "64", 64),
    ],
)  # fmt: skip
def test_a_text_that_reads_as_a_number_is_that_number(name, text, value):
    """YAML 1.1, and so --set and recipes, read an exponent without a point as text."""
    needed = {"early_stopping_patience": "1e0"} if name == "early_stopping_min_delta" else {}
    facts = Facts(20, 6_000_000, 2048, {}, has_eval_data=name != "validation_split")
    found = getattr(resolve_config(facts, overrides={name: text, **needed}).config, name)
    assert (found, type(found)) == (value, type(value))


def test_a_rank_given_as_text_doubles_into_alpha():
    assert resolve_config(FACTS, overrides={"r": "1.6e1"}).config.lora_alpha == 32


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("r", "2.5"), ("r", "1e-1"), ("r", "ten"), ("learning_rate", "0,1"), ("validation_split", "10%"),
        ("seed", "nan"),
        ("learning_rate", "inf"), ("max_steps", "1e999"), ("r", True), ("weight_decay", False), ("layers", [True]),
        ("stages", [{"learning_rate": True, "epochs": 1}]), ("stages", [{"learning_rate": 1e-3, "epochs": True}]),
        ("learning_rate", ""), ("learning_rate", None), ("use_dora", "1e0"),
    ],
)  # fmt: skip
def test_what_is_no_such_number_is_refused(name, value):
    extra = {"lr_scheduler_type": "staged"} if name == "stages" else {}
    assert (name, "bad_value") in problems_of({name: value, **extra})


def test_exponents_in_stages_are_numbers():
    config = build_config({"lr_scheduler_type": "staged", "stages": [{"learning_rate": "1e-4", "epochs": "1e0"}]})
    assert (config.stages[0].learning_rate, config.stages[0].epochs) == (1e-4, 1)


def refused(facts, **settings):
    with pytest.raises(ConfigError) as caught:
        resolve_config(facts, overrides=settings)
    return [(item["field"], item["code"], item.get("limit")) for item in caught.value.params["problems"]]


HELD = Facts(20, 6_000_000, 2048, {}, has_eval_data=True)


@pytest.mark.parametrize("name", ["eval_steps", "early_stopping_patience"])
def test_what_needs_held_out_rows_is_refused_without(name):
    found = refused(FACTS, **{name: 2})
    assert (name, "no_eval_rows", None) in found
    assert (name, "no_eval_rows", None) in refused(FACTS, **{name: "2e0", "validation_split": 0})
    resolve_config(HELD, overrides={name: 2})
    resolve_config(FACTS, overrides={name: 2, "validation_split": "2e-1"})


def test_the_best_cannot_be_published_without_held_out_rows():
    assert refused(FACTS, load_best_model_at_end=True) == [("load_best_model_at_end", "no_eval_rows", None)]


def test_rows_that_may_be_left_out_are_divided_only_if_two_remain():
    uncounted = dataclasses.replace(FACTS, is_estimate=True)
    assert refused(uncounted, eval_steps=2, drop_overlong=True) == [("eval_steps", "no_eval_rows_dropped", None)]
    assert refused(uncounted, eval_steps=2) == [("eval_steps", "no_eval_rows", None)]
    one = dataclasses.replace(uncounted, num_rows=1)
    assert refused(one, eval_steps=2, drop_overlong=True) == [("eval_steps", "no_eval_rows_one", None)]


def test_a_single_row_is_not_told_to_be_divided():
    one = dataclasses.replace(FACTS, num_rows=1)
    assert refused(one, eval_steps=2) == [("eval_steps", "no_eval_rows_one", None)]


def test_a_patience_without_held_out_rows_is_one_problem():
    assert refused(FACTS, early_stopping_patience=2) == [("early_stopping_patience", "no_eval_rows", None)]


def test_a_patience_as_long_as_the_run_is_taken():
    """It stops nothing, and still the best weights are published."""
    resolved = resolve_config(HELD, overrides={"early_stopping_patience": 3, "num_train_epochs": 3})
    assert resolved.config.load_best_model_at_end


def test_early_stopping_publishes_the_best_unless_told_otherwise():
    stopping = {"early_stopping_patience": 2}
    resolved = resolve_config(HELD, overrides=stopping)
    assert resolved.config.load_best_model_at_end
    assert "load_best_model_at_end" in resolved.reasons
    assert not resolve_config(
        HELD, overrides={**stopping, "load_best_model_at_end": False}
    ).config.load_best_model_at_end
    assert not resolve_config(HELD).config.load_best_model_at_end


def test_a_warm_up_over_all_stages_is_refused():
    stages = [{"learning_rate": 1e-3, "epochs": 0.5}]
    assert refused(FACTS, lr_scheduler_type="staged", stages=stages, warmup_steps=3) == [
        ("warmup_steps", "warmup_over_epochs", 3)
    ]
