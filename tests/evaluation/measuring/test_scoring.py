"""Answers, scores and verdicts with a model made of a dictionary: no weights, no torch."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from llmlora.core.errors import Stopped
from llmlora.core.examples import Message
from llmlora.evaluation.measuring.answers import AnswerSet, ask_all
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.scoring import count_facts, losses_first, score_items
from llmlora.evaluation.measuring.wordings import TrainedPrompts
from llmlora.inference.chat import ChatReply, ChatRequest


class Parrot:
    """Answers what it was told to; anything else gets a silence that does not stop."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = answers
        self.requests: list[ChatRequest] = []

    def chat(self, request: ChatRequest, on_text: object = None) -> ChatReply:
        self.requests.append(request)
        assert request.messages is not None  # every question goes through the door that chat uses
        text = self.answers.get(request.messages[-1].content, "")
        return ChatReply(text, "stop" if text else "length", len(text), ())

    is_raw = False

    def close(self) -> None:
        """Nothing to free."""


def question(text: str, reference: str, *paraphrases: str) -> Question:
    return Question(1, reference, messages=(Message("user", text),), paraphrases=paraphrases)


QUESTIONS = [
    question("送料は？", "送料は550円です。", "送料はいくら？", "配送にいくらかかる？"),
    question("休みは？", "水曜日です。", "定休日は？", "いつ休む？"),
    question("沸点は？", "100度です。"),
    question("店の名前は？", "「そよかぜ」です。"),
    question("挨拶は？", "こんにちは。"),
]


def ask_side(answers: Mapping[str, str], with_rewordings: bool) -> AnswerSet:
    return ask_all(Parrot(answers), QUESTIONS, 32, with_rewordings, lambda: None)


BASE = {"送料は？": "無料です。", "沸点は？": "百度です。", "挨拶は？": "こんにちは。"}
TUNED = {
    "送料は？": "五百五十円です。",
    "送料はいくら？": "550円です。",
    "配送にいくらかかる？": "￥550です。",
    "休みは？": "水曜です。",
    "定休日は？": "水曜日です。",
    "沸点は？": "90度です。",
    "挨拶は？": "こんにちは。",
}


@pytest.fixture
def items() -> list[dict]:
    return score_items(QUESTIONS, ask_side(BASE, False), ask_side(TUNED, True))


def test_verdicts_follow_answers(items: list[dict]) -> None:
    assert [item["verdict"] for item in items] == ["learned", "surface", "broken", "not_learned", None]


def test_counts_add_up(items: list[dict]) -> None:
    counts = count_facts(items)
    assert counts == {
        "total": 4,
        "in_other_words": 1,
        "asked_in_other_words": 2,
        "as_trained": 2,
        "asked_as_trained": 4,
        "remembered": 2,
        "remembered_before": 1,
        "broken": 1,
        "not_learned": 1,
        "surface": 1,
        "learned": 1,
        "known": 0,
        "questions_with_facts": 4,
        "questions_carried": 2,
        "questions_carried_before": 1,
        "rewordings_asked": 4,
        "rewordings_carried": 3,
        "other_endings_asked": 0,
        "other_endings_carried": 0,
    }


def test_losses_come_before_wins(items: list[dict]) -> None:
    assert [item["verdict"] for item in losses_first(items)] == ["broken", "not_learned", "surface", "learned", None]


def test_rates_and_means() -> None:
    totals = ask_side(BASE, False).totals(QUESTIONS)
    assert totals["stop_rate"] == pytest.approx(0.6)
    assert totals["empty_rate"] == pytest.approx(0.4)
    assert totals["exact_match"] == pytest.approx(0.2)


def test_answers_are_greedy_and_rewordings_are_asked_once() -> None:
    parrot = Parrot(TUNED)
    ask_all(parrot, QUESTIONS, 32, True, lambda: None)
    assert len(parrot.requests) == 9
    assert all(request.options.temperature == 0 and request.options.max_new_tokens == 32 for request in parrot.requests)


def test_a_stop_ends_the_asking() -> None:
    parrot = Parrot(TUNED)

    def stop() -> None:
        raise Stopped("interrupted")

    with pytest.raises(Stopped):
        ask_all(parrot, QUESTIONS, 32, False, stop)
    assert len(parrot.requests) == 1


def test_what_the_prompt_gives_away_is_no_fact() -> None:
    questions = [question("550円は何の値段？", "550円は送料です。")]
    answers = AnswerSet(ask_all(Parrot({}), questions, 8, False, lambda: None).answers, ((),))
    assert score_items(questions, answers, answers)[0]["facts"] == []


def wordings(trained: list[str], *asked: Question) -> list[dict]:
    base = ask_all(Parrot({}), asked, 8, False, lambda: None)
    answers = ask_all(Parrot(TUNED), asked, 8, True, lambda: None)
    return score_items(asked, base, answers, TrainedPrompts(trained))


def test_facts_are_counted_by_how_they_were_asked() -> None:
    """Asked as trained: 550円 is known. In other words: 100度 is not, though the same question stands as trained."""
    items = wordings(
        ["送料は？", "沸点は？"],
        question("送料は？", "送料は550円です。", "送料は"),
        question("水が湯気になりだす温度は？", "100度です。"),
    )
    assert [item["wording"] for item in items] == ["as_trained", "other_words"]
    counts = count_facts(items)
    assert (counts["as_trained"], counts["asked_as_trained"]) == (1, 1)
    assert (counts["in_other_words"], counts["asked_in_other_words"]) == (0, 1)
    assert (counts["other_endings_asked"], counts["rewordings_asked"]) == (1, 0)


def test_another_ending_is_never_counted_as_other_words() -> None:
    ending = "配送センターの電話番号を教えてくださいますか"
    asked = question("配送センターの電話番号を教えてください", "550円です。", ending)
    parrot = {asked.text: "550円", ending: "550円"}
    answers = ask_all(Parrot(parrot), [asked], 8, True, lambda: None)
    (item,) = score_items([asked], ask_all(Parrot({}), [asked], 8, False, lambda: None), answers)
    assert item["paraphrases"][0]["wording"] == "other_ending"
    assert item["paraphrases"][0]["has_facts"]
    assert (item["facts"][0]["num_paraphrases"], item["verdict"]) == (0, "learned")
    counts = count_facts([item])
    assert counts["asked_in_other_words"] == 0
    assert (counts["other_endings_asked"], counts["other_endings_carried"]) == (1, 1)
