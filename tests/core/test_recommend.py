"""The recommended rate and epochs follow what the settings let move, not the name of a preset."""

from __future__ import annotations

import pytest

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.trained_size import linear_layers
from llmlora.core.config import TrainConfig
from llmlora.core.general_rows import MOST_GENERAL_ROWS, num_general_among, num_general_rows
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.core.reach import LinearLayer
from llmlora.core.recommend import Facts, Resolved, planned_steps, resolve_config

NANO = resolve_base_model("nano")
LAYERS = linear_layers(NANO.tensors)


def settled(rows: int = 20, **choices: object) -> Resolved:
    facts = Facts(rows, NANO.num_parameters, NANO.context_length, NANO.recommended, layers=LAYERS)
    return resolve_config(facts, **choices)  # type: ignore[arg-type]


NARROW = {"r": 4, "lora_alpha": 8, "target_modules": ("q_proj", "v_proj")}


def rate_and_steps(**choices: object) -> tuple[float, int]:
    found = settled(**choices)
    return found.config.learning_rate, found.plan.num_steps


@pytest.mark.parametrize(
    ("rows", "steps"), [(1, 30), (3, 90), (5, 150), (9, 153), (20, 150), (40, 150), (50, 210), (100, 377), (1000, 375)]
)
def test_the_recommended_preset_keeps_the_models_own_rate_and_steps(rows: int, steps: int) -> None:
    found = settled(rows)
    assert (found.config.learning_rate, found.origins["learning_rate"]) == (0.002, "model")
    assert found.plan.num_steps == steps


@pytest.mark.parametrize(("millions", "rows", "steps"), [(5, 20, 150), (135, 10, 50), (268, 20, 50), (7000, 1000, 375)])
def test_a_model_that_knows_language_gets_fewer_steps(millions: int, rows: int, steps: int) -> None:
    assert resolve_config(Facts(rows, millions * 1_000_000, 2048, {})).plan.num_steps == steps


def test_an_adapter_that_moves_less_gets_a_higher_rate_and_more_steps() -> None:
    """At the model's own rate and 150 steps a narrow one learned 0 of 11 facts and `balanced` 3 of 39."""
    assert rate_and_steps(overrides=NARROW) == (0.0073, 600)
    assert rate_and_steps(preset="light") == (0.0028, 255)
    assert rate_and_steps(preset="balanced") == (0.0037, 375)
    assert settled(overrides=NARROW).reasons["learning_rate"] == {
        "sentence": "learning_rate_of_part", "own": 0.002, "factor": pytest.approx(3.65, abs=0.01),
    }  # fmt: skip


@pytest.mark.parametrize("preset", [*LORA_PRESETS])
def test_settings_given_one_by_one_get_the_values_of_the_preset_that_names_them(preset: str) -> None:
    assert settled(overrides=dict(LORA_PRESETS[preset])).config == settled(preset=preset).config
    written = {
        name: ",".join(item) if isinstance(item, tuple) else str(item) for name, item in LORA_PRESETS[preset].items()
    }
    assert settled(recipe=written).config == settled(preset=preset).config


@pytest.mark.parametrize("preset", ["high", "recommended"])
def test_an_adapter_that_moves_no_less_keeps_the_models_own_rate(preset: str) -> None:
    assert rate_and_steps(preset=preset) == (0.002, 150)
    assert rate_and_steps(overrides={"r": 64, "use_rslora": True}) == (0.002, 150)


def test_a_larger_scale_makes_up_for_a_smaller_rank() -> None:
    assert rate_and_steps(overrides={"r": 4, "lora_alpha": 16}) == (0.002, 150)
    assert rate_and_steps(overrides={"r": 4, "lora_alpha": 8}) == (0.0028, 255)


@pytest.mark.parametrize("name", ["memory_saver", "gpu8", "gpu16", "gpu24"])
def test_batch_and_accumulation_change_the_epochs_and_not_the_steps(name: str) -> None:
    found = settled(training_preset=name)
    assert found.plan.num_steps in (150, 152, 153)
    for field, value in TRAINING_PRESETS[name].items():
        assert getattr(found.config, field) == value


def test_held_out_rows_are_not_counted_as_trained() -> None:
    found = settled(overrides={"validation_split": 0.2})
    assert found.plan.num_train_rows == 16
    assert found.plan.num_steps == found.reasons["num_train_epochs"]["steps"] == 120


def test_a_narrow_adapter_that_is_trained_further_is_recognised() -> None:
    adapter = {"r": 4, "lora_alpha": 8.0, "target_modules": ("q_proj", "v_proj"), "use_rslora": False}
    assert settled(adapter=adapter).config.learning_rate == 0.0073


def test_a_narrow_adapter_of_a_larger_model_has_room_enough_and_needs_no_more_steps() -> None:
    layers = [LinearLayer(f"model.layers.{block}.{name}", block, 8 * size, size) for block in range(12)
              for name, size in {"q_proj": 256, "v_proj": 128, "up_proj": 2176}.items()]  # fmt: skip
    found = resolve_config(Facts(20, 40_000_000, 2048, {}, layers=layers), overrides=NARROW)
    assert found.plan.num_steps == 150
    assert found.config.learning_rate == pytest.approx(0.0037)


def test_an_adapter_without_room_says_so_with_what_is_enough() -> None:
    """Rank 4 on q and v of nano learns 9 of 30 facts even in 1,050 steps; on all layers it learns them in 255."""
    (warning,) = settled(overrides=NARROW).plan.warnings()
    assert warning["code"] == "too_little_room"
    assert warning["params"]["lack"] == pytest.approx(13.33, abs=0.01)
    mended = settled(overrides=NARROW | warning["params"]["settings"])
    assert not mended.plan.warnings()
    assert (mended.config.learning_rate, mended.plan.num_steps) == (0.002, 150)
    for preset in ("light", "balanced", "high", "recommended"):
        assert not settled(preset=preset).plan.warnings()


@pytest.mark.parametrize("more", [{"num_train_epochs": 12}, {"layers": (0,)}, {"max_steps": 9, "learning_rate": 1e-5}])
def test_a_run_without_room_is_told_one_thing_that_mends_all(more: dict[str, object]) -> None:
    """It was told to train longer as well, which such an adapter does not learn from."""
    asked = {"target_modules": ["v_proj"], "r": 2, **more}
    (warning,) = settled(overrides=asked).plan.warnings()
    assert warning["code"] == "too_little_room"
    mended = settled(overrides=asked | warning["params"]["settings"])
    assert not mended.plan.warnings()
    assert (mended.config.learning_rate, mended.plan.num_steps) == (0.002, 150)


def test_full_training_has_no_adapter_to_make_up_for() -> None:
    choice = {"method": "full", "r": 1, "lora_alpha": 1, "target_modules": "q_proj"}
    assert rate_and_steps(overrides=choice) == (pytest.approx(0.0002), 150)


@pytest.mark.parametrize("bad", [{"r": 0}, {"r": "x"}, {"lora_alpha": 0}, {"lora_alpha": -1}, {"layers": 3.5}])
def test_a_bad_value_is_still_refused_by_its_name(bad: dict[str, object]) -> None:
    with pytest.raises(Exception, match="invalid_settings") as caught:
        settled(overrides=bad)
    assert next(iter(bad)) in {problem["field"] for problem in caught.value.params["problems"]}  # type: ignore[attr-defined]


def test_what_a_value_was_given_is_left_alone() -> None:
    found = settled(preset="light", overrides={"lr": 1e-4, "epochs": 3})
    assert (found.config.learning_rate, found.config.num_train_epochs) == (1e-4, 3)
    assert TrainConfig.model_validate(found.config.model_dump()) == found.config


@pytest.mark.parametrize(("share", "general"), [(0, 0), (0.5, 10), (1, 20), (0.01, 1), ("x", 0), (2, 0), (None, 0)])
def test_general_rows_are_a_share_of_the_rows(share: object, general: int) -> None:
    assert num_general_rows(share, 20) == general
    assert num_general_among(share, 20 + general) == general
    assert num_general_rows(1, 10**6) == MOST_GENERAL_ROWS


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_beside_general_rows_those_of_the_data_are_seen_as_often(share: float) -> None:
    alone, mixed = settled(), settled(overrides={"general_share": share})
    assert mixed.plan.num_train_rows == 20 + 20 * share
    assert mixed.config.num_train_epochs == pytest.approx(alone.config.num_train_epochs, abs=3)
    assert mixed.config.num_train_epochs >= alone.config.num_train_epochs - 2
    assert not mixed.plan.warnings()
    split = settled(overrides={"general_share": share, "validation_split": 0.2})
    assert split.plan.num_train_rows == 16 + num_general_rows(share, 16)
    values = mixed.config.model_dump(mode="json")
    assert planned_steps(values, 20) == mixed.plan.num_steps
