"""What a run will do and not reach, known before it starts."""

from __future__ import annotations

import itertools

import pytest

from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.core.recommend import Facts, Resolved, resolve_config
from llmlora.engine.batch import StepPlan
from llmlora.engine.schedule import total_steps

NANO = {"learning_rate": 0.002}
FIXED = ("efficient", "standard", "manual", "experiment1", "experiment2", "large32b")
ROWS = (1, 3, 5, 12, 20, 41, 1000)
PRESETS = [
    *(("preset", name) for name in LORA_PRESETS),
    *(("training_preset", name) for name in TRAINING_PRESETS),
]


def resolved(kind: str, name: str, rows: int, **overrides: object) -> Resolved:
    if name == "large32b":  # its own method needs a GPU
        overrides["method"] = "lora"
    return resolve_config(Facts(rows, 4_720_896, 2048, NANO), **{kind: name}, overrides=overrides)


@pytest.mark.parametrize(("preset", "rows"), list(itertools.product(PRESETS, ROWS)))
def test_the_steps_said_before_are_the_steps_that_the_engine_does(preset: tuple[str, str], rows: int) -> None:
    found = resolved(*preset, rows)
    engine = StepPlan(rows, found.config.effective_batch_size, found.config.seed)
    assert found.plan.num_steps == total_steps(found.config, engine.steps_per_epoch)
    if "num_train_epochs" in found.reasons:
        assert found.reasons["num_train_epochs"]["steps"] == found.plan.num_steps


@pytest.mark.parametrize("rows", ROWS)
@pytest.mark.parametrize("preset", [preset for preset in PRESETS if preset[1] not in FIXED], ids="=".join)
def test_every_preset_that_leaves_the_epochs_open_makes_the_steps_of_the_recommended_one(
    preset: tuple[str, str], rows: int
) -> None:
    """`memory_saver` sees 16 rows in a step: 150 steps of 20 rows were said and 60 done."""
    plan = resolved(*preset, rows).plan
    assert plan.num_steps >= plan.needs.num_steps
    assert not plan.warnings()


@pytest.mark.parametrize("name", FIXED)
def test_a_preset_with_a_rate_or_epochs_of_its_own_says_that_it_will_not_teach_twenty_rows(name: str) -> None:
    kind = "preset" if name in LORA_PRESETS else "training_preset"
    (warning,) = resolved(kind, name, 20).plan.warnings()
    assert warning["code"] == "will_not_teach"
    mended = resolved(kind, name, 20, **warning["params"]["settings"])
    assert not mended.plan.warnings()


def test_a_long_run_at_a_low_rate_is_believed_to_teach() -> None:
    assert not resolved("preset", "efficient", 20, num_train_epochs=4000).plan.warnings()


def test_stages_are_judged_by_their_mean_rate() -> None:
    stages = [{"learning_rate": 1e-5, "epochs": 1}, {"learning_rate": 5e-6, "epochs": 3}]
    plan = resolved("preset", "recommended", 20, lr_scheduler_type="staged", stages=stages).plan
    assert plan.average_rate == pytest.approx(6.25e-6)
    (warning,) = plan.warnings()
    raised = warning["params"]["settings"]
    assert (raised["stages"], raised["learning_rate"]) == ([], 0.002)


def test_max_steps_is_what_is_raised_where_it_was_given() -> None:
    plan = resolved("preset", "recommended", 20, max_steps=10).plan
    assert plan.num_steps == 10
    assert plan.warnings()[0]["params"]["settings"] == {"max_steps": plan.needs.num_steps}


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 1},
        {"learning_rate": 0.05},
        {
            "lr_scheduler_type": "staged",
            "stages": [{"epochs": 1, "learning_rate": 0.001}, {"epochs": 1, "learning_rate": 0.5}],
        },
        {"learning_rate": 1, "max_steps": 2},
    ],
)
def test_a_rate_far_above_the_models_own_is_told_before_the_run(settings: dict[str, object]) -> None:
    (warning,) = resolved("preset", "recommended", 20, **settings).plan.warnings()
    assert warning["code"] == "rate_far_above"
    mended = resolved("preset", "recommended", 20, **{**settings, **warning["params"]["settings"]}).plan
    assert mended.config.learning_rate == 0.002
    assert [item["code"] for item in mended.warnings()] in ([], ["will_not_teach"])


def test_twice_the_models_own_rate_is_no_reason_to_warn() -> None:
    assert not resolved("preset", "recommended", 20, learning_rate=0.004).plan.warnings()
