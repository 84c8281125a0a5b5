"""Findings: one planted run for each, a healthy run that says so, and settings that can really be used."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.cli.words import settings_of as read_words
from llmlora.core.config import TrainConfig, build_config
from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.evaluation.findings import Finding, curve_of, find_in_run

Loss = Callable[[int], float]


def run_of(loss: Loss, *, epochs: int = 10, per_epoch: int = 8, **fields: Loss) -> list[dict[str, Any]]:
    """Return step records of a run whose loss at step 1, 2, 3 … is loss(step)."""
    return [
        {
            "step": step,
            "epoch": round(step / per_epoch, 4),
            "loss": loss(step),
            "grad_norm": 1.0,
            **{name: value(step) for name, value in fields.items()},
        }
        for step in range(1, epochs * per_epoch + 1)
    ]


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def settings_of(finding: Finding) -> dict[str, Any]:
    """Return the proposed settings as the command line would read them."""
    words = shlex.split(finding.params["settings"])
    assert words[::2] == ["--set"] * (len(words) // 2)
    return read_words(words[1::2])


def next_config(config: TrainConfig, finding: Finding) -> TrainConfig:
    """Return the configuration of the next run, which must be one that can be used."""
    return build_config({**config.model_dump(exclude_unset=True), **settings_of(finding)})


FALLING: Loss = lambda step: 1.0 + 2.0 * math.exp(-step / 20)  # noqa: E731
PLANTED: dict[str, tuple[Loss, dict[str, Any]]] = {
    "healthy": (FALLING, {}),
    "loss_not_falling": (lambda step: 3.0 - 0.002 * step, {}),
    "loss_rising": (lambda step: 2.0 + 0.05 * step, {}),
    "memorised": (lambda step: 3.0 * math.exp(-step / 10), {}),
    "still_falling": (lambda step: 3.0 - 0.025 * step, {}),
    "unsteady": (lambda step: 1.5 if (step - 1) // 8 % 2 else 1.0, {}),
    "gradient_explosion": (FALLING, {"grad_norm": lambda step: 5000.0 if step == 33 else 1.0}),
}


@pytest.mark.parametrize("code", PLANTED)
def test_a_planted_run_is_found(code: str) -> None:
    loss, fields = PLANTED[code]
    findings = find_in_run(TrainConfig(), run_of(loss, **fields), [], 0.1)
    assert code in codes(findings)
    assert code == "healthy" or "healthy" not in codes(findings)


def test_only_what_is_wrong_is_found() -> None:
    for code in ("healthy", "loss_not_falling", "loss_rising", "memorised", "still_falling", "gradient_explosion"):
        loss, fields = PLANTED[code]
        assert codes(find_in_run(TrainConfig(), run_of(loss, **fields), [], 0.1)) == [code]


def test_few_steps_say_nothing() -> None:
    assert find_in_run(TrainConfig(), run_of(lambda _: 3.0, epochs=7, per_epoch=1), [], 0.1) == []
    assert find_in_run(TrainConfig(), [], [], None) == []


def test_steps_without_a_loss_are_left_out() -> None:
    records = run_of(FALLING)
    for record in records[10:20]:
        record["loss"] = record["grad_norm"] = None
    assert codes(find_in_run(TrainConfig(), records, [], 0.1)) == ["healthy"]


def test_a_short_run_is_judged_by_parts_of_its_steps() -> None:
    curve = curve_of(run_of(lambda step: float(step), epochs=1, per_epoch=16))
    assert curve is not None
    assert curve.stages == (2.5, 6.5, 10.5, 14.5)
    assert curve.ends == (0.25, 0.5, 0.75, 1.0)


def test_a_long_run_is_judged_by_its_epochs() -> None:
    curve = curve_of(run_of(lambda step: float((step - 1) // 8), epochs=5))
    assert curve is not None
    assert (curve.stages, curve.ends) == ((0.0, 1.0, 2.0, 3.0, 4.0), (1.0, 2.0, 3.0, 4.0, 5.0))


def test_the_last_epoch_has_the_loss_that_the_summary_shows() -> None:
    (finding,) = find_in_run(TrainConfig(), run_of(FALLING), [], 0.1, 1.0321)
    assert (finding.code, finding.params["last"]) == ("healthy", "1.032")
    short = curve_of(run_of(FALLING, epochs=1, per_epoch=16), 0.5)
    assert short is not None
    assert short.last != 0.5, "a part of an epoch is not the epoch"


def test_a_high_loss_after_three_epochs_is_not_falling_enough() -> None:
    loss: Loss = lambda step: 6.0 * math.exp(-step / 12) + 2.2  # noqa: E731
    assert codes(find_in_run(TrainConfig(), run_of(loss), [], 0.1)) == ["loss_not_falling"]
    assert codes(find_in_run(TrainConfig(), run_of(loss, epochs=2, per_epoch=40), [], 0.1)) != ["loss_not_falling"]


def test_a_loss_that_was_low_from_the_start_is_no_failure() -> None:
    assert codes(find_in_run(TrainConfig(), run_of(lambda _: 0.45), [], 0.1)) == ["healthy"]


def test_a_run_that_ends_as_it_becomes_low_is_healthy() -> None:
    """Only what went on long after the rows were known is learning by heart."""
    loss: Loss = lambda step: 2.0 - 1.75 * step / 80  # noqa: E731
    assert codes(find_in_run(TrainConfig(), run_of(loss), [], 0.1)) == ["healthy"]


def test_memorised_names_the_epoch_and_stops_there() -> None:
    config = TrainConfig(num_train_epochs=10)
    (finding,) = find_in_run(config, run_of(lambda step: 2.0 if step <= 24 else 0.01), [], 0.1)
    assert finding.params["epoch"] == "4"
    assert finding.params["final"] == "0.010"
    proposed = next_config(config, finding)
    assert (proposed.num_train_epochs, proposed.lora_dropout) == (4, 0.1)


def test_full_training_is_not_told_to_drop_adapter_inputs() -> None:
    config = TrainConfig(method="full", num_train_epochs=10)
    (finding,) = find_in_run(config, run_of(lambda step: 2.0 if step <= 24 else 0.01), [], None)
    assert "lora_dropout" not in finding.params["settings"]


def test_a_higher_dropout_is_kept() -> None:
    config = TrainConfig(num_train_epochs=10, lora_dropout=0.3)
    (finding,) = find_in_run(config, run_of(lambda step: 2.0 if step <= 24 else 0.01), [], 0.1)
    assert settings_of(finding)["lora_dropout"] == 0.3


def test_a_flat_loss_asks_for_a_higher_rate_and_a_smaller_batch() -> None:
    config = TrainConfig(learning_rate=5e-5, per_device_train_batch_size=4)
    (finding,) = find_in_run(config, run_of(PLANTED["loss_not_falling"][0]), [], 0.1)
    proposed = next_config(config, finding)
    assert (proposed.learning_rate, proposed.per_device_train_batch_size) == (2e-4, 2)
    assert finding.params["first"] == "2.991"


def test_at_the_highest_rate_a_longer_run_is_proposed_instead() -> None:
    config = TrainConfig(learning_rate=1e-2, num_train_epochs=10)
    (finding,) = find_in_run(config, run_of(PLANTED["loss_not_falling"][0]), [], 0.1)
    proposed = next_config(config, finding)
    assert (proposed.learning_rate, proposed.num_train_epochs) == (1e-2, 20)


def test_a_run_of_given_steps_gets_steps() -> None:
    config = TrainConfig(max_steps=80)
    (finding,) = find_in_run(config, run_of(PLANTED["still_falling"][0]), [], 0.1)
    assert settings_of(finding) == {"max_steps": 160}


def test_a_staged_run_gets_a_plain_schedule() -> None:
    stages = [{"learning_rate": 1e-4, "epochs": 2}, {"learning_rate": 4e-4, "epochs": 3}]
    config = build_config({"lr_scheduler_type": "staged", "stages": stages})
    (finding,) = find_in_run(config, run_of(PLANTED["loss_rising"][0]), [], 0.1)
    proposed = next_config(config, finding)
    assert (proposed.lr_scheduler_type, proposed.stages) == ("linear", ())
    assert (proposed.learning_rate, proposed.num_train_epochs) == (1e-4, 5)


def test_jumps_ask_for_warm_up() -> None:
    findings = find_in_run(TrainConfig(learning_rate=3e-3), run_of(PLANTED["unsteady"][0]), [], 0.1)
    unsteady = next(finding for finding in findings if finding.code == "unsteady")
    assert unsteady.params["rises"] == 5
    assert settings_of(unsteady) == {"learning_rate": 0.001, "warmup_steps": 8}


def test_noise_near_zero_is_not_a_jump() -> None:
    loss: Loss = lambda step: 0.02 if (step - 1) // 8 % 2 else 0.01  # noqa: E731
    assert "unsteady" not in codes(find_in_run(TrainConfig(), run_of(loss), [], 0.1))


def test_the_explosion_is_placed_and_clipped() -> None:
    loss, fields = PLANTED["gradient_explosion"]
    (finding,) = find_in_run(TrainConfig(max_grad_norm=0.0), run_of(loss, **fields), [], 0.1)
    assert (finding.step, finding.params["largest"]) == (33, "5,000")
    assert settings_of(finding)["max_grad_norm"] == 1.0


def test_gradients_that_are_large_throughout_do_not_explode() -> None:
    assert codes(find_in_run(TrainConfig(), run_of(FALLING, grad_norm=lambda _: 400.0), [], 0.1)) == ["healthy"]


def evaluations(*losses: float | None) -> list[dict[str, Any]]:
    return [{"step": 8 * index, "eval_loss": loss} for index, loss in enumerate(losses)]


def test_a_rising_loss_on_held_out_rows_is_over_fitting() -> None:
    config = TrainConfig(num_train_epochs=10)
    held_out = evaluations(3.0, 2.0, 1.5, 1.4, 1.6, 1.8, 2.0, 2.1, 2.2, 2.3, 2.4)
    (finding,) = find_in_run(config, run_of(FALLING), held_out, 0.1)
    assert (finding.code, finding.step) == ("overfitting", 24)
    assert (finding.params["best"], finding.params["last"]) == ("1.400", "2.400")
    assert next_config(config, finding).num_train_epochs == 3


def test_training_that_never_helped_the_held_out_rows_gets_a_lower_rate() -> None:
    config = TrainConfig(learning_rate=1e-3)
    (finding,) = find_in_run(config, run_of(FALLING), evaluations(1.0, 1.5, 2.0), 0.1)
    assert next_config(config, finding).learning_rate == 2.5e-4


@pytest.mark.parametrize("losses", [(2.0,), (2.0, None), (3.0, 2.0, 1.5), (3.0, 1.5, 1.6), ()])
def test_no_over_fitting_without_a_clear_rise(losses: tuple[float | None, ...]) -> None:
    assert codes(find_in_run(TrainConfig(), run_of(FALLING), evaluations(*losses), 0.1)) == ["healthy"]


def test_an_adapter_that_did_not_move_is_the_first_finding() -> None:
    config = TrainConfig(learning_rate=1e-9)
    findings = find_in_run(config, run_of(lambda _: 3.0), [], 1e-8)
    assert codes(findings) == ["adapter_unchanged", "loss_not_falling"]
    assert next_config(config, findings[0]).learning_rate == 1e-4
    assert codes(find_in_run(TrainConfig(), run_of(FALLING), [], None)) == ["healthy"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_finding_is_worded_with_its_evidence(language: str) -> None:
    set_language(language)
    planted = [find_in_run(TrainConfig(), run_of(loss, **fields), [], 0.1) for loss, fields in PLANTED.values()]
    planted.append(find_in_run(TrainConfig(), run_of(FALLING), evaluations(1.0, 2.0), 1e-9))
    for finding in (item for findings in planted for item in findings):
        text = translate(f"cli.finding.{finding.code}", step=finding.step, **finding.params)
        assert not re.search(r"\{|\bNone\b|cli\.", text), text
        assert all(str(value) in text for value in finding.params.values()), text


CONFIGS = st.builds(
    dict,
    learning_rate=st.floats(1e-7, 1.0),
    num_train_epochs=st.floats(0.5, 50),
    max_steps=st.none() | st.integers(20, 200),
    per_device_train_batch_size=st.integers(1, 16),
    method=st.sampled_from(["lora", "full"]),
    lora_dropout=st.floats(0, 1),
)


@given(CONFIGS, st.lists(st.floats(0.001, 9.0), min_size=4, max_size=9), st.integers(2, 5), st.floats(0, 1e-3))
def test_whatever_happened_the_proposed_settings_can_be_used(
    given_config: dict[str, Any], epochs: list[float], per_epoch: int, size: float
) -> None:
    config = build_config(given_config)
    records = run_of(lambda step: epochs[(step - 1) // per_epoch], epochs=len(epochs), per_epoch=per_epoch)
    held_out = evaluations(*epochs)
    for finding in find_in_run(config, records, held_out, size):
        if finding.code != "healthy":
            proposed = next_config(config, finding)
            assert proposed != config
