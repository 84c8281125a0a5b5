"""What the page of an evaluation says about the ladder."""

from __future__ import annotations

import pytest

from evaluation.fake_reports import evaluation_body, fake_ladder
from evaluation.test_report import Page
from llmlora.core.locale import LANGUAGES, set_language
from llmlora.evaluation.pages.evaluation_page import evaluation_page
from llmlora.evaluation.pages.ladder import HEADS, ladder_part


def html(**changes: object) -> str:
    report = {"made_at": "2026-11-21T12:00:00+00:00", **evaluation_body(), "ladder": fake_ladder(), **changes}
    return evaluation_page(report, [], [])


def test_whether_a_prompt_does_as_well_stands_before_everything_else() -> None:
    set_language("en")
    text = " ".join(Page(html()).text.split())
    first = text.index("A prompt does as well as tuning: base + examples 11/20 (95 % interval 30–80 %), tuned 16/20")
    assert first < text.index("Facts answered when asked as trained")
    assert "base + examples 11/20 30–80 % 6/10 5/10 0.40 210 12" in text
    assert "Prompt: あなたは<店員>です。" in text
    assert "at most 4 rows" in text


def test_nothing_a_model_says_becomes_part_of_the_page() -> None:
    page = html()
    assert "&lt;店員&gt;" in page
    assert "<店員>" not in page
    assert "<b>" not in page


@pytest.mark.parametrize("changes", [{"ladder": None}, {}], ids=["not asked", "older"])
def test_a_report_without_ladder_has_no_such_part(changes: dict[str, None]) -> None:
    set_language("en")
    report = {"made_at": "2026-11-21T12:00:00+00:00", **evaluation_body(), **changes}
    assert "Was tuning needed?" not in evaluation_page(report, [], [])


def test_without_examples_none_are_explained() -> None:
    ladder = fake_ladder()
    ladder["rungs"] = [rung for rung in ladder["rungs"] if rung["name"] != "few_shot"]
    part = ladder_part({**ladder, "best_prompt": "system"})
    assert part is not None
    assert not part["has_examples"]
    assert [len(row) for row in part["rungs"]] == [len(HEADS)] * 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_is_there_in_both_languages(language: str) -> None:
    set_language(language)
    page = html()
    assert "evaluation." not in Page(page).text
    assert ("学習は必要だったか" in page) == (language == "ja")
