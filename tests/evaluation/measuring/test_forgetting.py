"""The forgetting check: written thresholds, groups that add up, spoilt answers counted once."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.core.general_rows import MOST_GENERAL_ROWS
from llmlora.engine.evaluate_loss import LossReport
from llmlora.evaluation.measuring.control_questions import ControlAnswers, load_control_questions
from llmlora.evaluation.measuring.forgetting import (
    LARGE_MODEL_ITEMS,
    LARGE_MODEL_PARAMETERS,
    LIGHTS,
    MAX_ITEMS,
    RED,
    YELLOW,
    GroupLoss,
    forgetting_report,
    load_general,
    num_items_for,
    spare_general,
    total_loss,
    traffic_lights,
    worst_light,
)
from llmlora.evaluation.measuring.wordings import OTHER_ENDING, likeness

CONCEPTS = Path(__file__).parents[3] / "docs" / "concepts"
CLEAN = ControlAnswers(
    {"num_questions": 12, "newly_broken": 0, "echoes": 0, "newly_endless": 0},
    {"num_questions": 12, "right_before": 8, "changed": []},
    {"num_questions": 10, "base": 0, "tuned": 0, "new": []},
)


def report_with(
    drift: dict[str, int] | None = None, changed: int = 0, invented: int = 0, rise: float = 0.0
) -> dict[str, Any]:
    """Return a check in which one kind of two lost `rise` nats and so many answers were spoilt."""
    base = [GroupLoss("ja", "prose", LossReport(2.0, 900)), GroupLoss("en", "talk", LossReport(0.1, 10))]
    tuned = [base[0], GroupLoss("en", "talk", LossReport(0.1 + rise, 10))]
    answers = ControlAnswers(
        {**CLEAN.drift, **(drift or {})},
        {**CLEAN.general, "changed": [{}] * changed},
        {**CLEAN.untaught, "new": [{}] * invented},
    )
    return forgetting_report(base, tuned, answers, 112)


@pytest.mark.parametrize("name", list(YELLOW))
def test_each_measure_has_its_own_light(name: str) -> None:
    clean = dict.fromkeys(YELLOW, 0.0)
    for value, light in ((YELLOW[name], "green"), (YELLOW[name] + 1e-6, "yellow"), (RED[name], "yellow")):
        assert traffic_lights({**clean, name: value}) == {**dict.fromkeys(YELLOW, "green"), name: light}
    for value in (RED[name] + 1e-6, math.nan, math.inf):
        assert traffic_lights({**clean, name: value})[name] == "red"


def test_the_worst_light_decides() -> None:
    assert worst_light([]) == "green"
    assert worst_light(["green", "red", "yellow"]) == "red"
    assert worst_light(["green", "yellow"]) == "yellow"


def test_one_kind_that_is_wrecked_is_not_hidden_by_the_mean() -> None:
    """A run that moved small talk from 0.08 to 1.98 nats was yellow by the mean, +19.6 %."""
    report = report_with(rise=1.9)
    assert report["loss_change"] < 0.2
    assert report["light"] == "red"
    assert report["lights"]["loss_rise"] == "red"
    assert report["worst_kind"]["kind"] == "talk"
    assert report["worst_kind"]["rise"] == pytest.approx(1.9)


def test_a_tiny_base_loss_makes_no_change_large() -> None:
    """From 0.0005 to 0.05 is a hundred times as much, and nothing that anybody would notice."""
    base = [GroupLoss("ja", "support", LossReport(0.0005, 300))]
    assert forgetting_report(base, [GroupLoss("ja", "support", LossReport(0.05, 300))], CLEAN, 8)["light"] == "green"


def test_answers_decide_beside_the_loss() -> None:
    assert report_with()["light"] == "green"
    assert report_with(changed=1)["lights"]["changed_share"] == "yellow"
    assert report_with(changed=5)["light"] == "red"
    assert report_with(invented=10)["light"] == "red"
    assert report_with(drift={"newly_broken": 1})["lights"]["spoilt_share"] == "yellow"
    assert report_with(drift={"newly_broken": 2, "echoes": 2})["light"] == "red"


def test_a_kind_whose_loss_is_no_number_is_the_worst() -> None:
    report = report_with(rise=math.nan)
    assert report["light"] == "red"
    assert report["worst_kind"]["kind"] == "talk"


def test_without_questions_the_loss_alone_decides() -> None:
    nothing = ControlAnswers(
        {**CLEAN.drift, "num_questions": 0},
        {"num_questions": 0, "right_before": 0, "changed": []},
        {"num_questions": 0, "base": 0, "tuned": 0, "new": []},
    )
    assert forgetting_report([], [], nothing, 0)["light"] == "green"


def test_groups_add_up_by_tokens() -> None:
    base = [GroupLoss("ja", "prose", LossReport(2.0, 300)), GroupLoss("en", "prose", LossReport(4.0, 100))]
    tuned = [GroupLoss("ja", "prose", LossReport(2.0, 300)), GroupLoss("en", "prose", LossReport(8.0, 100))]
    assert total_loss(base).loss == pytest.approx(2.5)
    report = forgetting_report(base, tuned, CLEAN, 400)
    assert report["num_items"] == 400
    assert report["loss_change"] == pytest.approx(0.4)
    assert report["light"] == "red"
    assert [group["rise"] for group in report["groups"]] == [0.0, 4.0]
    assert [group["change"] for group in report["groups"]] == [0.0, 1.0]


def test_the_bundled_items_are_enough_and_are_chosen_alike() -> None:
    items = load_general()
    assert len(items) >= 300
    assert {item.lang for item in items} == {"ja", "en"}
    few = load_general(40)
    assert len(few) == 40
    assert [item.example.row for item in few] == [item.example.row for item in load_general(40)]


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
    counts = Counter((item.lang, item.kind) for item in part)
    assert set(counts) == {(item.lang, item.kind) for item in every}
    assert max(counts.values()) - min(counts.values()) <= 3, "kinds of which there are six are short of two"
    rows = [item.example.row for item in part]
    assert rows == sorted(set(rows))
    assert load_general(10_000) == every


def test_large_models_read_less() -> None:
    assert num_items_for(4_700_000) == num_items_for(LARGE_MODEL_PARAMETERS) == MAX_ITEMS
    assert num_items_for(LARGE_MODEL_PARAMETERS + 1) == LARGE_MODEL_ITEMS < MAX_ITEMS


def test_the_thresholds_in_the_documents_are_those_of_the_code() -> None:
    for language in ("", ".ja"):
        page = (CONCEPTS / f"evaluation{language}.md").read_text(encoding="utf-8")
        for limits in (YELLOW, RED):
            assert f"{limits['loss_rise']:g} {({'': 'nats', '.ja': 'ナット'})[language]}" in page
        for name in ("changed_share", "spoilt_share", "invented_share"):
            assert f"{100 * RED[name]:.0f} %" in page
        assert all(str(count) in page for count in (MAX_ITEMS, LARGE_MODEL_ITEMS))


@given(st.floats(-1, 5), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_more_damage_never_gives_a_better_light(rise: float, spoilt: float, changed: float, invented: float) -> None:
    measures = dict(zip(YELLOW, (rise, spoilt, changed, invented), strict=True))
    light = LIGHTS.index(worst_light(traffic_lights(measures).values()))
    for name, value in measures.items():
        assert LIGHTS.index(worst_light(traffic_lights({**measures, name: value + 0.1}).values())) >= light


def test_a_model_without_loss_has_no_change() -> None:
    nothing = [GroupLoss("ja", "prose", LossReport(0.0, 0))]
    report = forgetting_report(nothing, nothing, CLEAN, 1)
    assert (report["loss_change"], report["light"]) == (0.0, "green")
    assert report["thresholds"] == {"yellow": YELLOW, "red": RED}


def test_what_is_trained_along_is_neither_read_nor_asked_by_the_check() -> None:
    spare = spare_general(MOST_GENERAL_ROWS)
    assert len({example.row for example in spare}) == MOST_GENERAL_ROWS
    assert not {example.row for example in spare} & {item.example.row for item in load_general(MAX_ITEMS)}
    control = load_control_questions(())
    asked = [question.text for question in (*control.general, *control.untaught)]
    turns = [turn.content for example in spare for turn in example.messages if turn.role == "user"]
    assert len(turns) >= MOST_GENERAL_ROWS
    assert max(likeness(turn, question) for turn in turns for question in asked) <= OTHER_ENDING


def test_what_is_trained_along_is_of_every_kind_that_has_conversations() -> None:
    kinds = {item.example.row: (item.lang, item.kind) for item in load_general()}
    few = [kinds[example.row] for example in spare_general(9)]
    assert len(set(few)) == 9
    assert spare_general(9) == spare_general(9)
