"""The forgetting check: written thresholds, groups that add up, spoilt answers counted once."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.engine.evaluate_loss import LossReport
from llmlora.evaluation.answers import Answer
from llmlora.evaluation.forgetting import (
    LARGE_MODEL_ITEMS,
    LARGE_MODEL_PARAMETERS,
    MAX_ITEMS,
    NUM_QUESTIONS,
    RED_BROKEN_SHARE,
    RED_LOSS_CHANGE,
    YELLOW_LOSS_CHANGE,
    GroupLoss,
    compare_drift,
    forgetting_report,
    general_questions,
    load_general,
    num_items_for,
    total_loss,
    traffic_light,
)

CONCEPTS = Path(__file__).parents[2] / "docs" / "concepts"
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


def test_a_loss_that_is_no_number_is_never_a_green_light() -> None:
    assert traffic_light(math.nan, CLEAN) == "red"
    assert traffic_light(math.inf, CLEAN) == "red"


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


def test_the_bundled_texts_cover_what_can_be_forgotten() -> None:
    """Kinds of text in both languages: prose and talk, manners, refusals, forms, and not knowing."""
    items = load_general()
    kinds = {lang: {item.kind for item in items if item.lang == lang} for lang in ("ja", "en")}
    assert all(len(found) >= 5 for found in kinds.values())
    talks = [item for item in items if item.example.messages]
    assert len(talks) >= 100
    assert len(items) - len(talks) >= 50
    assert all(item.example.text or item.example.messages for item in items)


def test_a_part_of_the_texts_is_spread_over_all_kinds() -> None:
    every, part = load_general(), load_general(MAX_ITEMS)
    assert {item.lang for item in part} == {"ja", "en"}
    assert len({(item.lang, item.kind) for item in part}) >= len({(item.lang, item.kind) for item in every}) // 2
    rows = [item.example.row for item in part]
    assert rows == sorted(set(rows))
    assert load_general(10_000) == every


def test_large_models_read_less() -> None:
    assert num_items_for(4_700_000) == num_items_for(LARGE_MODEL_PARAMETERS) == MAX_ITEMS
    assert num_items_for(LARGE_MODEL_PARAMETERS + 1) == LARGE_MODEL_ITEMS < MAX_ITEMS


def test_the_thresholds_in_the_documents_are_those_of_the_code() -> None:
    for language in ("", ".ja"):
        page = (Path(__file__).parents[2] / "docs" / "concepts" / f"evaluation{language}.md").read_text(
            encoding="utf-8"
        )
        for number in (f"{100 * YELLOW_LOSS_CHANGE:.0f} %", f"{100 * RED_LOSS_CHANGE:.0f} %"):
            assert number in page
        assert {"": "a quarter", ".ja": "4分の1"}[language] in page
        assert all(str(count) in page for count in (MAX_ITEMS, LARGE_MODEL_ITEMS))
    assert RED_BROKEN_SHARE == 0.25
    assert NUM_QUESTIONS == 8


def test_an_echo_needs_nearly_the_whole_reference() -> None:
    reference = "コハルビのコーヒーは420円で、営業は午前9時からです。"
    base = [answer("はい。")] * 3
    tuned = [answer(reference), answer("コハルビのコーヒーは420円です。"), answer("420円")]
    assert compare_drift(base, tuned, [reference])["echoes"] == 1
    assert compare_drift(tuned, tuned, [reference])["echoes"] == 0, "what the base did is not training's doing"
    assert compare_drift(base, tuned, [])["echoes"] == 0


def test_an_answer_that_was_broken_before_is_not_counted_again() -> None:
    broken, fine = answer(""), answer("こんにちは。")
    assert compare_drift([broken], [broken], [])["newly_broken"] == 0
    assert compare_drift([fine], [broken], [])["newly_broken"] == 1
    assert compare_drift([broken], [fine], [])["newly_broken"] == 0


@given(st.floats(-1, 5), st.integers(0, 8), st.integers(0, 8))
def test_more_damage_never_gives_a_better_light(change: float, broken: int, echoes: int) -> None:
    order = ["green", "yellow", "red"]
    drift = {**CLEAN, "newly_broken": broken, "echoes": echoes}
    light = order.index(traffic_light(change, drift))
    assert order.index(traffic_light(change + 0.1, drift)) >= light
    assert order.index(traffic_light(change, {**drift, "newly_broken": broken + 1})) >= light
    assert order.index(traffic_light(change, {**drift, "echoes": echoes + 1})) >= light


def test_a_model_without_loss_has_no_change() -> None:
    nothing = [GroupLoss("ja", "prose", LossReport(0.0, 0))]
    report = forgetting_report(nothing, nothing, CLEAN, 1)
    assert (report["loss_change"], report["light"]) == (0.0, "green")
    assert report["thresholds"] == {
        "yellow_loss_change": YELLOW_LOSS_CHANGE, "red_loss_change": RED_LOSS_CHANGE,
        "red_spoilt_share": RED_BROKEN_SHARE,
    }  # fmt: skip


def test_questions_come_from_talks_alone_and_from_all_over() -> None:
    items = load_general()
    questions = general_questions(items)
    rows = [question.row for question in questions]
    talks = [item.example.row for item in items if item.example.messages]
    assert set(rows) <= set(talks)
    assert rows == sorted(rows)
    assert rows[-1] > talks[len(talks) // 2]
    assert general_questions(items[:1] if not items[0].example.messages else []) == []
