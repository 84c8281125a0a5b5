"""The forgetting check: written thresholds, groups that add up, spoilt answers counted once."""

from __future__ import annotations

import pytest

from llmlora.engine.evaluate_loss import LossReport
from llmlora.evaluation.answers import Answer
from llmlora.evaluation.forgetting import (
    NUM_QUESTIONS,
    RED_LOSS_CHANGE,
    YELLOW_LOSS_CHANGE,
    GroupLoss,
    compare_drift,
    forgetting_report,
    general_questions,
    load_general,
    total_loss,
    traffic_light,
)

CLEAN = {"num_questions": 8, "newly_broken": 0, "echoes": 0, "newly_endless": 0}


def answer(text: str, has_stopped: bool = True) -> Answer:
    return Answer(text, has_stopped, len(text), 0.0)


@pytest.mark.parametrize(
    ("change", "spoilt", "light"),
    [
        (-0.10, 0, "green"),
        (0.0, 0, "green"),
        (YELLOW_LOSS_CHANGE, 0, "green"),
        (YELLOW_LOSS_CHANGE + 0.001, 0, "yellow"),
        (RED_LOSS_CHANGE, 0, "yellow"),
        (RED_LOSS_CHANGE + 0.001, 0, "red"),
        (0.0, 1, "yellow"),
        (0.0, 2, "red"),
    ],
)
def test_the_light_follows_the_written_thresholds(change: float, spoilt: int, light: str) -> None:
    assert traffic_light(change, {**CLEAN, "echoes": spoilt}) == light
    assert traffic_light(change, {**CLEAN, "newly_broken": spoilt}) == light


def test_without_questions_the_loss_alone_decides() -> None:
    assert traffic_light(0.0, {**CLEAN, "num_questions": 0}) == "green"


def test_drift_counts_only_what_training_did() -> None:
    reference = "コハルビのコーヒーは420円です。"
    base = [answer("こんにちは。"), answer(""), answer("はい、元気です。"), answer("ありがとう。"), answer("晴れ。")]
    tuned = [answer(reference), answer(""), answer("あ" * 60), answer("どうも。"), answer("晴れ", has_stopped=False)]
    drift = compare_drift(base, tuned, [reference])
    assert drift == {"num_questions": 5, "newly_broken": 1, "echoes": 1, "newly_endless": 1}


def test_groups_add_up_by_tokens() -> None:
    base = [GroupLoss("ja", "prose", LossReport(2.0, 300)), GroupLoss("en", "prose", LossReport(4.0, 100))]
    tuned = [GroupLoss("ja", "prose", LossReport(2.0, 300)), GroupLoss("en", "prose", LossReport(8.0, 100))]
    assert total_loss(base).loss == pytest.approx(2.5)
    report = forgetting_report(base, tuned, CLEAN, 400)
    assert report["num_items"] == 400
    assert report["loss_change"] == pytest.approx(0.4)
    assert report["light"] == "red"
    assert [group["change"] for group in report["groups"]] == [0.0, 1.0]


def test_the_bundled_items_are_enough_and_are_chosen_alike() -> None:
    items = load_general()
    assert len(items) >= 300
    assert {item.lang for item in items} == {"ja", "en"}
    few = load_general(40)
    assert len(few) == 40
    assert [item.example.row for item in few] == [item.example.row for item in load_general(40)]
    assert len(general_questions(items)) == NUM_QUESTIONS
