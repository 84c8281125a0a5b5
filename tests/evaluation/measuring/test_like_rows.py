"""Examples for a question: the likest rows, in a fixed order, and never the row that is asked."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from llmlora.core.examples import Message
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.evaluation.measuring import like_rows
from llmlora.evaluation.measuring.like_rows import LikeRows
from llmlora.evaluation.measuring.questions import Question, questions_of, read_questions
from llmlora.evaluation.measuring.wordings import plain

SHOP = Path(__file__).parents[3] / "benchmarks" / "data"


def row(text: str, answer: str = "はい。", *paraphrases: str) -> Question:
    return Question(1, answer, (Message("user", text),), paraphrases)


ROWS = [
    row("送料はいくらですか？", "620円です。"),
    row("返品の送料はいくらですか？", "480円です。"),
    row("定休日はいつですか？", "水曜日です。"),
    row("Do you gift wrap?", "Yes."),
]


def test_the_likest_row_stands_last() -> None:
    found = LikeRows(ROWS).like(row("海外への送料はいくらですか？"), "海外への送料はいくらですか？", 3)
    assert [item.text for item in found] == [
        "定休日はいつですか？",
        "返品の送料はいくらですか？",
        "送料はいくらですか？",
    ]


def test_rows_that_share_nothing_with_the_question_are_no_examples() -> None:
    asked = row("Do you wrap presents?")
    assert [item.reference for item in LikeRows(ROWS).like(asked, asked.text, 4)] == ["Yes."]
    assert LikeRows(ROWS).like(row("xyz"), "xyz", 4) == []
    assert LikeRows([]).like(asked, asked.text, 4) == []


def test_a_rare_word_counts_more_than_a_common_one() -> None:
    common = [row(f"商品{number}の値段を教えてください") for number in "一二三四五六七八九"]
    rows = LikeRows([*common, row("ギフト包装の色")])
    assert rows.like(row("ギフトの値段を教えて"), "ギフト", 1)[0].text == "ギフト包装の色"


@pytest.mark.parametrize(
    "text", ["送料はいくらですか？", "配送にいくら？", "送料は いくらですか", "返品の送料はいくらですか?"]
)
def test_the_asked_row_is_never_an_example_in_whatever_wording_it_is_asked(text: str) -> None:
    """Neither in its own words, nor in those of its paraphrases, whatever the width and punctuation."""
    asked = row("送料はいくらですか？", "620円です。", "配送にいくら？", "返品の送料はいくらですか？")
    found = [item.text for item in LikeRows(ROWS).like(asked, text, 4)]
    assert not {"送料はいくらですか？", "返品の送料はいくらですか？"} & set(found)


def test_the_asked_row_is_never_an_example_on_a_real_data_set() -> None:
    rows = list(questions_of(iter_examples(SHOP / "shop_ja.jsonl", ReadOptions())))
    index = LikeRows(rows)
    sizes: list[int] = []
    for question in [*rows, *read_questions(SHOP / "shop_ja_questions.jsonl")]:
        wordings = {plain(text) for text in (question.text, *question.paraphrases)}
        for text in (question.text, *question.paraphrases):
            found = index.like(question, text, 4)
            sizes.append(len(found))
            assert not wordings & {plain(item.text) for item in found}
    assert sizes.count(4) > len(sizes) / 2


def test_the_order_of_equals_is_that_of_the_rows_and_doubles_count_once() -> None:
    twins = [row("色は赤ですか", "一"), row("色は青ですか", "二"), row("色は赤ですか", "三")]
    index = LikeRows(twins)
    assert len(index) == 2
    assert [item.reference for item in index.like(row("色"), "色は", 2)] == ["二", "一"]


def test_a_large_data_set_is_searched_up_to_its_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(like_rows, "MAX_ROWS", 3)
    index = LikeRows(row(json.dumps(random.Random(seed).random())) for seed in range(10))
    assert len(index) == 3
