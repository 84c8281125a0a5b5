"""Advice after an evaluation: it follows from the counts, and its numbers from the job's own settings."""

from __future__ import annotations

import re
from typing import Any

import pytest

from evaluation.fake_reports import ROWS, evaluation_body
from llmlora.core.config import TrainConfig, build_config
from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.evaluation.advice import advise

CONFIG = TrainConfig(learning_rate=2e-3, num_train_epochs=10, r=8)


def report_of(
    rows: list[tuple[str, str, str, str]] = ROWS, *, loss: float | None = 1.5, **counts: int
) -> dict[str, Any]:
    body = evaluation_body(rows)
    body["facts"].update(counts)
    body["loss"]["trained"]["tuned"]["loss"] = loss
    body["forgetting"]["light"] = "green"
    return body


def codes(report: dict[str, Any], config: TrainConfig = CONFIG) -> list[str]:
    return [piece["code"] for piece in advise(config, report)]


def params(report: dict[str, Any], code: str, config: TrainConfig = CONFIG) -> dict[str, Any]:
    return next(piece["params"] for piece in advise(config, report) if piece["code"] == code)


def all_learned() -> dict[str, Any]:
    return report_of([(*row[:3], row[1]) for row in ROWS])


def test_nothing_to_do_is_no_advice() -> None:
    assert codes(all_learned()) == []


def test_what_was_lost_comes_first_and_asks_for_a_lower_rate() -> None:
    report = report_of()
    assert codes(report) == ["broken", "not_learned_either"]
    assert params(report, "broken") == {"count": 1, "settings": "--set learning_rate=0.001"}


def test_facts_that_were_not_learned_ask_for_more() -> None:
    assert params(report_of(), "not_learned_either") == {
        "count": 1, "total": 5, "settings": "--set num_train_epochs=20", "other": "--set r=16",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"r": 48, "num_train_epochs": 10}, ["--set num_train_epochs=20", "--set r=64"]),
        ({"r": 64, "num_train_epochs": 80}, ["--set num_train_epochs=100"]),
        ({"r": 1, "num_train_epochs": 0.4}, ["--set num_train_epochs=1", "--set r=2"]),
        ({"r": 128, "num_train_epochs": 3000}, []),  # more of it would not help, and less is not more
        ({"max_steps": 30, "method": "full"}, ["--set max_steps=60"]),
        ({"init_adapter": "a", "num_train_epochs": 200}, []),  # the adapter fixes the rank
    ],
)
def test_more_has_its_bounds(values: dict[str, Any], expected: list[str]) -> None:
    (piece,) = [item for item in advise(TrainConfig(**values), report_of()) if item["code"].startswith("not_learned")]
    assert [piece["params"][name] for name in ("settings", "other") if name in piece["params"]] == expected


def test_rows_known_by_heart_are_not_told_to_train_longer() -> None:
    report = report_of(loss=0.02)
    assert codes(report) == ["broken", "not_asked_so"]
    assert params(report, "not_asked_so")["loss"] == "0.020"


def test_without_a_measured_loss_training_longer_is_the_guess() -> None:
    report = report_of()
    report["loss"]["trained"] = None
    assert "not_learned_either" in codes(report)
    assert "not_learned_either" in codes(report_of(loss=None))


def test_surface_asks_for_other_wordings() -> None:
    report = all_learned()
    report["facts"]["surface"] = 4
    assert advise(CONFIG, report) == [{"code": "surface", "params": {"count": 4}}]


def test_red_forgetting_asks_for_less() -> None:
    report = all_learned()
    report["forgetting"]["light"] = "red"
    assert advise(CONFIG, report) == [
        {
            "code": "forgetting",
            "params": {"settings": "--set learning_rate=0.001", "other": "--set num_train_epochs=5"},
        }
    ]
    report["forgetting"] = None
    assert codes(report) == []


def test_answers_that_stopped_stopping_are_named() -> None:
    report = all_learned()
    report["tuned"]["stop_rate"] = 0.4
    assert advise(CONFIG, report) == [{"code": "endless", "params": {"before": "100", "after": "40"}}]
    report["base"]["stop_rate"] = report["tuned"]["stop_rate"] = None
    assert codes(report) == []


def test_equal_answers_are_the_only_thing_to_say() -> None:
    report = report_of([(question, wanted, same, same) for question, wanted, same, _ in ROWS], not_learned=5)
    assert advise(CONFIG, report) == [{"code": "unchanged", "params": {"settings": "--set learning_rate=0.008"}}]


def test_the_highest_rate_of_a_staged_run_counts() -> None:
    stages = [{"learning_rate": 1e-4, "epochs": 1}, {"learning_rate": 4e-4, "epochs": 1}]
    config = build_config({"lr_scheduler_type": "staged", "stages": stages})
    assert "--set learning_rate=0.0002" in params(report_of(), "broken", config)["settings"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_piece_is_worded_with_its_numbers(language: str) -> None:
    set_language(language)
    red = report_of(surface=2)
    red["forgetting"]["light"] = "red"
    red["tuned"]["stop_rate"] = 0.5
    same = report_of([(question, wanted, same, same) for question, wanted, same, _ in ROWS])
    pieces = [piece for report in (red, report_of(loss=0.1), same) for piece in advise(CONFIG, report)]
    for most in (TrainConfig(r=64), TrainConfig(r=64, num_train_epochs=100)):
        pieces += advise(most, report_of())
    assert {piece["code"] for piece in pieces} == {
        "broken", "forgetting", "not_learned", "not_learned_either", "not_learned_rows", "not_asked_so",
        "surface", "endless", "unchanged",
    }  # fmt: skip
    for piece in pieces:
        text = translate(f"evaluation.advice.{piece['code']}", **piece["params"])
        assert not re.search(r"\{|evaluation\.", text), text
        assert all(str(value) in text for value in piece["params"].values()), text
