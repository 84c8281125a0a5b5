"""Control questions: what everybody knows, and what nobody taught; what training did to the answers."""

from __future__ import annotations

import pytest

from llmlora.core.examples import Message
from llmlora.evaluation.measuring.answers import Answer
from llmlora.evaluation.measuring.control_questions import (
    MAX_SWAPPED,
    UNKNOWN_NAMES,
    compare_control,
    compare_drift,
    is_right,
    load_control_questions,
    states_a_fact,
    swapped,
)
from llmlora.evaluation.measuring.questions import Question


def answer(text: str, has_stopped: bool = True) -> Answer:
    return Answer(text, has_stopped, len(text), 0.0)


def question(text: str) -> Question:
    return Question(1, "x", (Message("system", "短く。"), Message("user", text)))


def test_the_bundled_ones_are_of_both_kinds_and_languages() -> None:
    control = load_control_questions([])
    assert len(control.general) == len(control.answers) == 12
    assert len(control.untaught) == 6
    for questions in (control.general, control.untaught):
        assert {item.text.isascii() for item in questions} == {True, False}
    for item, right in zip(control.general, control.answers, strict=True):
        assert not any(is_right(item.text, [one]) for one in right), "a question must not give its answer away"


@pytest.mark.parametrize(
    ("asked", "untaught"),
    [
        ("ミナト文具店の休みはいつですか？", "ラネオビ文具店の休みはいつですか？"),
        ("花沢パン屋の食パンはいくらですか？", "ラネオビパン屋の食パンはいくらですか？"),
        ("雪森温泉の入場料はいくらですか？", "ラネオビ温泉の入場料はいくらですか？"),
        ("When does Lindow Bakery open?", "When does Ranobry open?"),
        ("What time does Zolvery open?", "What time does Ranobry open?"),
    ],
)
def test_the_users_own_question_is_asked_about_something_else(asked: str, untaught: str) -> None:
    (made,) = swapped([question(asked)])
    assert made.text == untaught
    assert made.messages[0] == Message("system", "短く。")


def test_a_question_about_no_name_is_left_out_and_few_are_made() -> None:
    assert swapped([question("送料はいくらですか？")]) == []
    many = swapped([question(f"ミナト文具店の{thing}はいくらですか？") for thing in "筆紙机棚皿椀"])
    assert len(many) == MAX_SWAPPED
    assert [made.text.startswith(name) for made, name in zip(many, UNKNOWN_NAMES["ja"], strict=True)] == [True] * 4


@pytest.mark.parametrize(
    ("text", "is_stated"),
    [
        ("わかりません。", False),
        ("すみません、ネムラジ食堂のことは分かりません。", False),
        ("ネムラジ食堂については、手元に情報がありません。", False),
        ("その質問の答えは持っていません。", False),
        ("I'm sorry, I don't have access to the hours of Zolvery Cafe, try calling 03-1234-5678.", False),
        ("As an AI language model, I was trained in 2023.", False),
        ("ネムラジ食堂です。", False),
        ("", False),
        ("ネムラジ食堂の定食は420円です。", True),
        ("申し訳ありません。毎週水曜日です。", True),
        ("It opens at 9:00.", True),
    ],
)
def test_a_stated_fact_is_told_from_not_knowing(text: str, is_stated: bool) -> None:
    assert states_a_fact(text, question("ネムラジ食堂のことを教えてください。")) is is_stated


def test_what_turned_wrong_and_what_is_invented_is_listed() -> None:
    control = load_control_questions([])
    right = [answer(f"{one[0]}です。") for one in control.answers]
    refused = [answer("わかりません。")] * len(control.untaught)
    base = [*right, *refused]
    wrong = [answer("松本市です。"), *right[1:], answer("420円です。"), *refused[1:]]
    found = compare_control(control, base, wrong, [])
    assert found.general["right_before"] == 12
    assert [entry["tuned"] for entry in found.general["changed"]] == ["松本市です。"]
    assert (found.untaught["base"], found.untaught["tuned"]) == (0, 1)
    assert [entry["question"] for entry in found.untaught["new"]] == [control.untaught[0].text]
    same = compare_control(control, wrong, wrong, [])
    assert same.general["changed"] == same.untaught["new"] == [], "what the base did is not training's doing"


@pytest.mark.parametrize("text", ["東京", "東京です。", "日本の首都は東京です", "Ｔｏｋｙｏ"])
def test_a_right_answer_may_be_written_in_any_way(text: str) -> None:
    assert is_right(text, ["東京", "tokyo"])
    assert not is_right("京都です。", ["東京", "tokyo"])


def test_drift_counts_only_what_training_did() -> None:
    reference = "コハルビのコーヒーは420円です。"
    base = [answer("こんにちは。"), answer(""), answer("はい、元気です。"), answer("ありがとう。"), answer("晴れ。")]
    tuned = [answer(reference), answer(""), answer("あ" * 60), answer("どうも。"), answer("晴れ", has_stopped=False)]
    drift = compare_drift(base, tuned, [reference])
    assert drift == {"num_questions": 5, "newly_broken": 1, "echoes": 1, "newly_endless": 1}


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
