"""How like two wordings are, and what is called another ending: measured against forty reworded by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.evaluation.measuring.questions import rewordings
from llmlora.evaluation.measuring.wordings import OTHER_ENDING, TrainedPrompts, likeness

HAND = [
    json.loads(line)
    for line in (Path(__file__).parent / "hand_rewordings.jsonl").read_text(encoding="utf-8").splitlines()
]


def test_every_rewording_by_hand_is_one() -> None:
    assert [row["lang"] for row in HAND].count("ja") == [row["lang"] for row in HAND].count("en") == 20
    alike = sorted(likeness(row["question"], row["reworded"]) for row in HAND)
    assert OTHER_ENDING - 0.02 < alike[-1] < OTHER_ENDING, "the bound is what the likest of them needs, no more"


@pytest.mark.parametrize(
    ("asked", "ending"),
    [
        ("送料はいくらですか？", "送料はいくらですか。教えてください。"),
        ("送料はいくらですか？", "質問です。送料はいくらですか？"),
        ("送料はいくらですか？", "送料はいくらでしょうか？"),
        ("When do you close?", "When do you close? Please tell me."),
        ("When do you close on Sundays?", "I have a question. When do you close on Sundays?"),
    ],
)
def test_another_ending_or_frame_is_no_other_wording(asked: str, ending: str) -> None:
    assert TrainedPrompts().of_paraphrase(ending, asked) == "other_ending"
    assert TrainedPrompts([asked]).of_question(ending) == "other_ending"


def test_spelling_is_no_wording_at_all() -> None:
    assert TrainedPrompts().of_paraphrase("送料は いくらですか", "送料はいくらですか？") == "as_trained"
    assert TrainedPrompts(["WHEN do you close"]).of_question("When do you close?") == "as_trained"


def test_what_was_trained_is_never_other_words() -> None:
    """A user who adds rewordings to the data and asks the same ones again asks as trained."""
    trained = TrainedPrompts(["送料はいくらですか？", "配達の代金を知りたい。"])
    assert trained.of_paraphrase("配達の代金を知りたい", "送料はいくらですか？") == "as_trained"
    assert trained.of_question("荷物を届けてもらうと何円かかりますか？") == "other_words"


def test_without_the_trained_questions_each_is_taken_to_be_one_of_them() -> None:
    assert TrainedPrompts().of_question("何でもよい質問") == "as_trained"


@given(st.text(max_size=30), st.text(max_size=30))
def test_likeness_is_symmetric_and_of_itself_whole(one: str, other: str) -> None:
    assert likeness(one, other) == pytest.approx(likeness(other, one))
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1


def test_what_the_rules_make_is_no_other_wording() -> None:
    """A lead-in or an ending by rule is nearer to its question than any rewording by hand."""
    for row in HAND:
        for made in rewordings(row["question"]):
            assert likeness(made, row["question"]) > OTHER_ENDING
            assert TrainedPrompts().of_paraphrase(made, row["question"]) == "other_ending"
