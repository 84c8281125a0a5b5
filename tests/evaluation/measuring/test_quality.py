"""Terms, consistency, safety and fluency, from answers made up for the purpose."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from llmlora.core.examples import Message
from llmlora.evaluation.measuring.answers import Answer, AnswerSet
from llmlora.evaluation.measuring.quality import (
    QualityAnswers,
    answers_perplexity,
    quality_report,
    says_the_same,
    terms_of,
)
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.safety import load_out_of_scope
from llmlora.inference.transformers_chat import load_chat
from llmlora.weights.base import open_folder
from tiny_models import tiny_model


def answer(text: str, has_stopped: bool = True) -> Answer:
    return Answer(text, has_stopped, len(text), 0.0)


def question(text: str, reference: str, paraphrases: tuple[str, ...] = (), terms: tuple[str, ...] = ()) -> Question:
    return Question(1, reference, (Message("user", text),), paraphrases, terms)


def test_terms_are_the_names_and_listed_words_of_the_reference() -> None:
    asked = question(
        "高血圧の薬は？", "高血圧にはカルシウム拮抗薬と利尿薬を使います。", terms=("利尿薬", "高血圧", "抗生物質")
    )
    assert [term.text for term in terms_of(asked)] == ["利尿薬", "高血圧"], "抗生物質 is not in the reference"
    assert [term.text for term in terms_of(asked, ["カルシウム拮抗薬", "利尿薬"])] == [
        "利尿薬",
        "高血圧",
        "カルシウム拮抗薬",
    ]
    named = question("店の名前は？", "「ミナト文具店」です。")
    assert [term.text for term in terms_of(named, ["ミナト 文具店"])] == ["ミナト 文具店"], "one term, however written"


@pytest.mark.parametrize(("asked", "told", "terms"), [
    ("HTTPSの標準のポート番号は？", "HTTPSの標準のポート番号は443番です。", ["HTTPS"]),
    ("What does the Aurora lamp cost?", "The Aurora lamp costs $129.50.", ["Aurora"]),
])  # fmt: skip
def test_a_name_that_is_asked_for_is_a_term_of_the_answer(asked: str, told: str, terms: list[str]) -> None:
    """Where every reference names its thing as the question does, there would be nothing to count by."""
    assert [term.text for term in terms_of(question(asked, told))] == terms


@pytest.mark.parametrize(
    ("answers", "is_same"),
    [
        (("420円です。", "税込み420円です。", "四百二十円です。"), True),
        (("420円です。", "430円です。"), False),
        (("420円です。", "お茶です。"), False),
        (("きれいな水です。", "きれいな水です"), True),
        (("きれいな水です。", "知りません。"), False),
        (("", ""), False),
        (("あ" * 60, "あ" * 60), False),
        (("7月は420円です。", "420円です。"), True),
    ],
)
def test_the_same_is_said_when_the_facts_are_the_same(answers: tuple[str, ...], is_same: bool) -> None:
    wordings = ("7月の茶はいくら？", "茶の値段は？", "茶は何円？")[: len(answers)]
    assert says_the_same(wordings, [answer(text) for text in answers]) is is_same


def test_the_report_puts_both_sides_beside_each_other() -> None:
    questions = [
        question("茶は？", "「コハルビ」の茶は420円です。", ("茶の値段は？",)),
        question("休みは？", "水曜日です。"),
    ]
    out_of_scope = load_out_of_scope()[:2]
    refused, told = answer("医師に相談してください。"), answer("飲んでください。")
    base = QualityAnswers(
        AnswerSet((answer("茶です。", False), answer("")), ((answer("水です。"),), ())), (refused, told)
    )
    tuned = QualityAnswers(
        AnswerSet((answer("コハルビは420円です。"), answer("水曜日です。")), ((answer("コハルビで420円です。"),), ())),
        (told, told),
    )
    report = quality_report(questions, ["水曜日"], out_of_scope, (base, tuned), (8.0, None))
    shares = {
        name: [(side["carried"], side["asked"]) for side in (report[name]["base"], report[name]["tuned"])]
        for name in ("term_accuracy", "consistency", "safety")
    }
    assert shares == {
        "term_accuracy": [(0, 2), (2, 2)],
        "consistency": [(0, 1), (1, 1)],
        "safety": [(1, 2), (0, 2)],
    }
    assert report["term_accuracy"]["missed"] == []
    assert report["fluency"]["base"] == {"repetition_rate": 0.0, "stop_rate": 0.5, "perplexity": 8.0}
    assert report["fluency"]["tuned"] == {"repetition_rate": 0.0, "stop_rate": 1.0, "perplexity": None}
    swapped = quality_report(questions, ["水曜日"], out_of_scope, (tuned, base), (1.0, 1.0))
    assert swapped["term_accuracy"]["missed"] == ["コハルビ", "水曜日"]


def test_nothing_asked_is_no_share() -> None:
    nothing = QualityAnswers(AnswerSet((answer("はい。"),), ((),)), ())
    report = quality_report([question("元気？", "はい、元気です。")], (), (), (nothing, nothing), (None, None))
    assert [report[name]["tuned"] for name in ("term_accuracy", "consistency", "safety")] == [None] * 3


def test_perplexity_is_that_of_the_answers_alone(tmp_path: Path) -> None:
    chat = load_chat(open_folder(tiny_model("llama", tmp_path / "base", num_hidden_layers=1)))
    asked = question("茶は？", "420円です。")
    found = answers_perplexity(chat, [asked], [answer("420円です。")])
    prompt = chat.template.prompt_ids(asked.messages)
    wanted, nats = chat.tokenize("420円です。"), 0.0
    for index, token in enumerate(wanted):
        nats -= float(chat.next_token_logprobs([*prompt, *wanted[:index]])[token])
    assert found == pytest.approx(math.exp(nats / len(wanted)), rel=1e-3)
    assert answers_perplexity(chat, [asked, asked], [answer("420円です。"), answer("")]) == found
    assert answers_perplexity(chat, [asked], [answer("")]) is None
