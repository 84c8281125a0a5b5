"""The ladder: how each rung asks, what is counted, what is said about it; and a real job asked on every rung."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.events import EventWriter
from llmlora.core.examples import Message
from llmlora.core.layout import CONFIG_FILE, REPORT_PAGE, run_dir
from llmlora.core.locale import set_language
from llmlora.core.publish import read_json
from llmlora.evaluation.measuring.answers import Answer, AnswerSet, as_given, ask_all
from llmlora.evaluation.measuring.ladder import (
    NUM_EXAMPLES,
    SYSTEM_PROMPTS,
    Prompts,
    bare,
    ladder_report,
    system_prompt,
)
from llmlora.evaluation.measuring.like_rows import LikeRows
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.wordings import TrainedPrompts
from llmlora.inference.chat import ChatReply, ChatRequest
from llmlora.services import evaluate as evaluate_service
from llmlora.services.evaluate import evaluate, ladder
from llmlora.worker import evaluate as evaluate_worker
from tiny_jobs import tiny_job


class Counting:
    """Counts one token per character of what it is asked, and answers with what it was asked last."""

    def __init__(self, context_length: int = 10_000, is_raw: bool = False) -> None:
        self.context_length = context_length
        self.is_raw = is_raw

    def prompt_ids(self, request: ChatRequest) -> list[int]:
        return [0] * sum(len(turn.content) for turn in request.messages or ())

    def chat(self, request: ChatRequest, on_text: object = None, on_token: object = None) -> ChatReply:
        assert request.messages is not None
        return ChatReply(request.messages[-1].content, "stop", 3, (1, 2, 3), len(self.prompt_ids(request)))

    def use_threads(self, number: int) -> None:
        """One is enough."""

    def close(self) -> None:
        """Nothing to free."""


def question(text: str, reference: str = "620円です。", *paraphrases: str, system: str | None = None) -> Question:
    lead = (Message("system", system),) if system else ()
    return Question(1, reference, (*lead, Message("user", text)), paraphrases)


ROWS = [
    question("送料はいくらですか？"),
    question("返品の送料は？", "480円です。"),
    question("送料の無料は？", "8,400円から。"),
]
ASKED = question("海外への送料は？", "1,200円です。", "外国に送るといくら？")
PLAIN = Message("user", ASKED.text)


def prompts_of(**chat: Any) -> Prompts:
    return Prompts(LikeRows(ROWS), Counting(**chat), 10)  # type: ignore[arg-type]


def turns(*texts: str) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple(Message(roles[place % 2], text) for place, text in enumerate(texts))


def test_each_rung_puts_something_else_in_front_of_the_same_question() -> None:
    rungs = dict(prompts_of().by_rung())
    assert list(rungs) == ["base", "system", "few_shot"]
    assert rungs["base"](ASKED, ASKED.text) == (PLAIN,)
    assert rungs["system"](ASKED, ASKED.text) == (Message("system", SYSTEM_PROMPTS["ja"]), PLAIN)
    examples = rungs["few_shot"](ASKED, ASKED.text)
    assert examples[-1] == PLAIN
    assert [turn.role for turn in examples] == ["user", "assistant"] * 3 + ["user"]
    assert {turn.content for turn in examples[1:-1:2]} == {row.reference for row in ROWS}


def test_another_wording_is_asked_with_the_examples_that_are_like_it() -> None:
    found = prompts_of().with_examples(ASKED, "返品する送料は？")
    assert found[-3:] == turns("返品の送料は？", "480円です。", "返品する送料は？")


def test_a_systems_own_message_is_the_prompt_and_the_base_goes_without() -> None:
    own = question("送料は？", system="店員です。")
    prompts = prompts_of()
    assert bare(own, "いくら？") == (Message("user", "いくら？"),)
    assert prompts.with_system(own, own.text) == own.messages == as_given(own, own.text)
    assert prompts.with_examples(own, own.text)[0] == Message("system", "店員です。")
    assert system_prompt(own) == "店員です。"


def test_the_prompt_is_in_the_language_of_the_question() -> None:
    assert system_prompt(question("How much is it?")) == SYSTEM_PROMPTS["en"]
    assert system_prompt(question("いくら？")) == SYSTEM_PROMPTS["ja"]


def test_without_rows_there_are_no_examples() -> None:
    assert [name for name, _ in Prompts(LikeRows([]), Counting(), 10).by_rung()] == ["base", "system"]  # type: ignore[arg-type]


def test_examples_that_do_not_fit_are_left_out_the_least_like_first() -> None:
    whole = prompts_of().with_examples(ASKED, ASKED.text)
    size = sum(len(turn.content) for turn in whole)
    assert prompts_of(context_length=size + 10).with_examples(ASKED, ASKED.text) == whole
    assert prompts_of(context_length=size + 9).with_examples(ASKED, ASKED.text) == whole[2:]
    assert prompts_of(context_length=12).with_examples(ASKED, ASKED.text) == (PLAIN,)


def test_a_model_that_reads_only_the_users_text_gets_everything_in_it() -> None:
    prompts = prompts_of(is_raw=True)
    assert prompts.with_system(ASKED, ASKED.text) == turns(f"{SYSTEM_PROMPTS['ja']}\n{ASKED.text}")
    (asked,) = prompts.with_examples(ASKED, ASKED.text)
    lines = asked.content.split("\n")
    assert lines[-1] == ASKED.text
    assert {row.text for row in ROWS} < set(lines)


def test_all_wordings_are_asked_through_the_prompt_and_their_tokens_counted() -> None:
    asked = ask_all(Counting(), [ASKED], 8, True, lambda: None, prompts_of().with_system)
    assert [answer.text for answer in (*asked.answers, *asked.reworded[0])] == [ASKED.text, ASKED.paraphrases[0]]
    assert asked.answers[0].num_prompt_tokens == len(SYSTEM_PROMPTS["ja"]) + len(ASKED.text)


def answers_of(questions: list[Question], is_right: Callable[[int], bool], seconds: float = 1.0) -> AnswerSet:
    """Return answers that carry the reference's fact where `is_right` says so, in every wording."""

    def answer(number: int) -> Answer:
        text = questions[number].reference if is_right(number) else "わかりません。"
        return Answer(text, True, 4, seconds, 20)

    numbers = range(len(questions))
    reworded = tuple(tuple(answer(number) for _ in questions[number].paraphrases) for number in numbers)
    return AnswerSet(tuple(answer(number) for number in numbers), reworded)


NAMES = "茶 机 筆 本 皿 鍋 棚 傘 靴 服"
PRICES = [
    question(f"{name}はいくら？", f"{100 + place}円です。", f"お金を払うなら{name}に何円")
    for place, name in enumerate(NAMES.split())
]
TRAINED = TrainedPrompts(item.text for item in PRICES)


def ladder_of(tuned: int, few_shot: int, system: int = 0, base: int = 0) -> dict[str, Any]:
    """Return the ladder where each rung answers the first so many of ten questions."""
    right = {"base": base, "system": system, "few_shot": few_shot, "tuned": tuned}
    rungs = {name: answers_of(PRICES, lambda number, count=count: number < count) for name, count in right.items()}
    return ladder_report(PRICES, rungs, TRAINED)


@pytest.mark.parametrize(
    ("right", "verdict", "best"),
    [
        ({"tuned": 10, "few_shot": 9}, "as_well", "few_shot"),  # 70 to 100 % touches 100 %
        ({"tuned": 10, "few_shot": 2}, "worse", "few_shot"),
        ({"tuned": 7, "few_shot": 5}, "as_well", "few_shot"),
        ({"tuned": 5, "few_shot": 5, "system": 5}, "as_well", "system"),
        ({"tuned": 1, "few_shot": 3, "base": 10}, "better", "base"),
        ({"tuned": 0, "few_shot": 0}, "as_well", "base"),
    ],
)
def test_the_verdict_follows_from_the_intervals(right: dict[str, int], verdict: str, best: str) -> None:
    found = ladder_of(**right)
    assert (found["verdict"], found["best_prompt"]) == (verdict, best)


def test_what_is_counted_by_hand() -> None:
    """Ten questions in two wordings: five right are ten of twenty, 20 to 80 % (Binomial(10, 1/2))."""
    found = {rung["name"]: rung for rung in ladder_of(tuned=10, few_shot=5)["rungs"]}
    half = {"share": 0.5, "low": 0.2, "high": 0.8}
    assert found["few_shot"]["facts"] == {"carried": 10, "asked": 20, **half}
    assert found["few_shot"]["as_trained"] == found["few_shot"]["other_words"] == {"carried": 5, "asked": 10, **half}
    assert found["tuned"]["facts"] == {"carried": 20, "asked": 20, "share": 1.0, "low": 1.0, "high": 1.0}
    assert found["tuned"]["seconds_per_answer"] == 1.0
    assert (found["tuned"]["tokens_per_answer"], found["tuned"]["prompt_tokens_per_answer"]) == (4.0, 20.0)


def test_a_mere_other_ending_is_no_other_wording() -> None:
    asked = [replace(item, paraphrases=(f"{item.text}教えて",)) for item in PRICES]
    found = ladder_report(asked, {name: answers_of(asked, lambda _: True) for name in ("base", "tuned")}, TRAINED)
    assert found["rungs"][0]["other_words"] is None
    assert found["rungs"][0]["facts"]["asked"] == 10


def test_questions_nobody_trained_count_as_other_words() -> None:
    rungs = {name: answers_of(PRICES, lambda _: True) for name in ("base", "tuned")}
    found = ladder_report(PRICES, rungs, TrainedPrompts(["営業時間を教えてください"]))
    assert found["rungs"][0]["as_trained"] is None
    assert found["rungs"][0]["other_words"]["asked"] == 20


@pytest.fixture
def worker_here(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Run the worker in this process; returns the phases that it told."""
    phases: list[str] = []

    def work(kind: str, folder: Path, on_event: Any = None) -> dict[str, Any]:
        directory = run_dir(folder, 1)
        directory.mkdir(parents=True)
        events = EventWriter(directory, 1)
        result = evaluate_worker.run(folder, read_json(folder / CONFIG_FILE), events, False)  # type: ignore[arg-type]
        events.close()
        lines = (directory / "events.jsonl").read_text(encoding="utf-8").splitlines()
        told = [json.loads(line) for line in lines]
        phases.extend(dict.fromkeys(event["name"] for event in told if event["type"] == "phase"))
        return result

    monkeypatch.setattr(evaluate_service, "run_worker", work)
    monkeypatch.setattr("llmlora.evaluation.measuring.forgetting.MAX_ITEMS", 8)
    monkeypatch.setattr("llmlora.evaluation.measuring.evaluate.load_out_of_scope", list)
    return phases


@pytest.mark.parametrize("adapter", [{"r": 4, "lora_alpha": 8}, None], ids=["lora", "full"])
def test_a_real_job_is_asked_on_every_rung(
    adapter: dict[str, Any] | None, tmp_path: Path, worker_here: list[str]
) -> None:
    set_language("en")
    job = tiny_job("llama", tmp_path, adapter)
    asked = tmp_path / "asked.jsonl"
    rows = [{"prompt": "営業時間は？", "reference": "午前10時から。", "paraphrases": ["何時に開きますか"]},
            {"prompt": "営業時間を教えて", "reference": "午前10時から。"}]  # fmt: skip
    asked.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    report = ladder(job, asked, max_new_tokens=4)
    found = report["ladder"]
    assert [rung["name"] for rung in found["rungs"]] == ["base", "system", "few_shot", "tuned"]
    cost = {rung["name"]: rung["prompt_tokens_per_answer"] for rung in found["rungs"]}
    assert cost["base"] == cost["tuned"] < min(cost["system"], cost["few_shot"])
    assert found["max_examples"] == NUM_EXAMPLES
    base = [item["base"]["text"] for item in report["items"]]
    assert [item["answers"]["base"] for item in found["items"]] == base
    assert [item["answers"]["tuned"] for item in found["items"]] == [item["tuned"]["text"] for item in report["items"]]
    assert [name for name in worker_here if name.startswith("asking")] == [
        "asking_base", "asking_system", "asking_few_shot", "asking_tuned",
    ]  # fmt: skip
    page = (Path(report["folder"]) / REPORT_PAGE).read_text(encoding="utf-8")
    assert "Was tuning needed?" in page


def test_without_its_data_a_job_is_asked_without_examples(tmp_path: Path, worker_here: list[str]) -> None:
    job = tiny_job("llama", tmp_path, {"r": 4, "lora_alpha": 8})
    asked = tmp_path / "asked.jsonl"
    asked.write_text('{"prompt": "営業時間は？", "reference": "10時から。"}\n', encoding="utf-8")
    (tmp_path / "data.jsonl").unlink()
    report = ladder(job, asked, max_new_tokens=4)
    assert [rung["name"] for rung in report["ladder"]["rungs"]] == ["base", "system", "tuned"]
    assert "ladder_no_examples" in {note["code"] for note in report["notes"]}
    plainly = evaluate(job, asked, max_new_tokens=4, check_forgetting=False)
    assert plainly["ladder"] is None
    assert "ladder_no_examples" not in {note["code"] for note in plainly["notes"]}
