"""The taught questions decide: text as users see it, the token that ends a reply, and the facts that were kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmlora.core.examples import Message
from llmlora.core.locale import set_language
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.export import runtime_checks
from llmlora.export.chosen_file import choice_comment, choose_file, lossy_lines
from llmlora.export.reference import Reference, TaughtAnswer
from llmlora.export.runtime_checks import Reply, divergence
from llmlora.export.taught_check import check_replies, kept_facts, side_by_side, tokens_per_second
from llmlora.inference.chat import ChatRequest
from llmlora.inference.llamacpp_chat import LlamaCppChat

WORDS = {1: "Express", 2: " costs", 3: " $", 4: "6", 5: ".99", 9: "<end>"}
TEXT = "Express costs $6.99"


def taught(row: int, question: str, answer: str, spoken: str | None = None) -> TaughtAnswer:
    return TaughtAnswer(row, (Message("user", question),), answer, answer if spoken is None else spoken, 5, 20)


def reference(*answers: TaughtAnswer) -> Reference:
    empty = np.zeros((0, 0))
    found = answers or (taught(1, "How much is express?", TEXT),)
    return Reference([], [], [], empty, (), True, 9, WORDS, "", "", end_ids=frozenset({9}), taught=found)


def decode(ids: Sequence[int]) -> str:
    return "".join(WORDS[token] for token in ids)


@pytest.mark.parametrize(
    ("reply", "cause"),
    [
        (Reply(TEXT, (1, 2, 3, 4, 5, 9), True), None),
        (Reply("Express costs $.99", (1, 2, 3, 4, 5, 9), True), "answer_text"),  # the digit is typed CONTROL
        (Reply("Express", (1, 2), True), "cut_answer"),  # the end-of-turn id is that of " costs"
        (Reply("Express costs", (1, 2), False), None),  # a coarse file that runs out of room is not wrong by that
        (Reply("", (9,), True), None),
    ],
)
def test_answers_are_whole_as_text(reply: Reply, cause: str | None):
    check = check_replies([reply], reference(), decode)
    assert (check.ok, check.cause) == (cause is None, cause)
    assert check.measured["num_questions"] == 1


@pytest.mark.parametrize(
    ("shown", "expected", "is_same"),
    [
        (" Ian 6", "Ian 6", True),  # the tokenizer's decoder drops the space before the first word
        ("It costs \ufffd\ufffd", "It costs C\ufffd", True),  # broken bytes, shown in two ways
        ("It costs $.9\ufffd", "It costs $6.9\ufffd", False),
        ("It  costs", "It costs", False),
    ],
)
def test_the_same_tokens_are_the_same_text(shown: str, expected: str, is_same: bool):
    check = check_replies([Reply(shown, (1,), False)], reference(), lambda ids: expected)
    assert check.ok == is_same


class Listening(LlamaCppChat):
    """Answers for the server, and writes down what it was asked."""

    asked: list[tuple[str, Any]]

    def __init__(self, *ignored: Any) -> None:
        Listening.asked = []
        self.has_template, self.context_length = True, 64
        self._choice = {}

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        Listening.asked.append((path, body.get("messages") or body.get("content") or body["prompt"]))
        if path == "/apply-template":
            return {"prompt": f"<user>{body['messages'][-1]['content']}"}
        return {"tokens": [7, 8], "content": TEXT, "stop_type": "eos", "tokens_predicted": 2}


def test_taught_questions_go_through_the_door_that_chat_takes(monkeypatch: pytest.MonkeyPatch):
    asked = taught(1, "How much is express?", TEXT)
    Listening().chat(ChatRequest(asked.messages))
    by_chat = Listening.asked
    assert [path for path, _ in by_chat] == ["/apply-template", "/tokenize", "/completion"]
    monkeypatch.setattr(runtime_checks, "LlamaCppChat", Listening)
    monkeypatch.setattr(runtime_checks, "compare_distributions", lambda *ignored: {})
    _, replies = runtime_checks.run_adapter(Path("m.gguf"), reference(asked), Path("a.gguf"))
    assert replies == (Reply(TEXT, (7, 8), True),)
    assert Listening.asked == by_chat


def test_the_speed_is_that_of_all_answers_together():
    slow, fast = Reply(TEXT, (1,) * 30, True, 3.0), Reply(TEXT, (1,) * 10, True, 1.0)
    assert tokens_per_second([slow, fast]) == 10.0
    assert tokens_per_second([]) is tokens_per_second([Reply("", (), True, 0.5)]) is None


def test_answers_stand_side_by_side_with_what_was_taught_and_what_is_answered_unexported():
    asked = reference(taught(4, "How much?", TEXT), taught(7, "How long?", "36 days.", spoken="35 days."))
    fine, coarse = (tuple(Reply(text, (), True) for text in texts) for texts in ((TEXT, "35 days."), ("$9", "")))
    first, second = side_by_side(asked, {"model-F16.gguf": fine, "model-Q2_K.gguf": coarse})
    assert (first["row"], first["question"], first["files"]["model-Q2_K.gguf"]) == (4, "How much?", "$9")
    assert (second["taught"], second["trained"]) == ("36 days.", "35 days.")
    assert second["files"] == {"model-F16.gguf": "35 days.", "model-Q2_K.gguf": ""}


def test_only_facts_that_the_trained_model_knows_can_be_lost():
    asked = reference(
        taught(1, "How much is express?", TEXT),
        taught(2, "What is the price of a lamp?", "It costs $40.", spoken="It costs $41."),
        taught(3, "How long?", "Within 36 days, for $4.25."),
    )
    replies = [Reply(text, (), True) for text in ("It costs $7.99", "It costs $99.", "Within 36 days, for $4.20.")]
    kept = kept_facts(replies, asked, carried_facts)
    assert kept == {"num_questions": 3, "num_known": 3, "num_kept": 1, "lost_rows": [1, 3]}


def test_an_answer_without_facts_counts_as_a_whole():
    asked = reference(taught(1, "May I bring a dog?", "Dogs are welcome on the terrace, not inside."))
    for text, num_kept in (("Dogs are welcome on the terrace, not inside", 1), ("No animals, please.", 0)):
        assert kept_facts([Reply(text, (), True)], asked, carried_facts)["num_kept"] == num_kept


def entry(quantization: str, size: int, kept: int, known: int = 23, verdict: str | None = None) -> dict[str, Any]:
    facts = {"num_known": known, "num_kept": kept, "num_questions": 12, "lost_rows": []}
    found = verdict or ("verified" if kept == known else "lossy")
    return {
        "file": f"model-{quantization}.gguf", "quantization": quantization, "size_bytes": size, "verdict": found,
        "facts": facts, "checks": [],
    }  # fmt: skip


F16, Q8_0 = entry("F16", 540, 23), entry("Q8_0", 290, 23)
LOSSY = entry("Q4_K_M", 250, 2)


@pytest.mark.parametrize(
    ("entries", "chosen"),
    [
        ([F16, Q8_0, LOSSY], "Q8_0"),
        ([F16, LOSSY], "F16"),
        ([F16, Q8_0, entry("Q4_K_M", 250, 23), entry("Q2_K", 120, 10)], "Q4_K_M"),
        ([F16, entry("Q6_K", 230, 23), entry("Q4_K_M", 250, 23)], "Q6_K"),  # by size, not by name
        ([entry("Q8_0", 290, 22), LOSSY], "Q8_0"),
        ([entry("Q8_0", 290, 23, verdict="failed"), LOSSY], "Q4_K_M"),
        ([entry("F16", 540, 0, 0), entry("Q4_K_M", 250, 0, 0), entry("Q2_K", 120, 0, 0)], "Q4_K_M"),
    ],
)
def test_the_smallest_file_that_keeps_all_is_chosen(entries: list[dict[str, Any]], chosen: str):
    report = {"files": entries}
    assert choose_file(report, [item["quantization"] for item in entries]) == chosen


def swallowed(quantization: str, size: int, share: float) -> dict[str, Any]:
    """Return the entry of a file that nobody could ask, with what survived of the training in it."""
    update = {"check": "update", "measured": {"share": share, "is_lost": share < 0.8}}
    return {
        "file": f"model-{quantization}.gguf", "quantization": quantization, "size_bytes": size, "facts": None,
        "checks": [update], "verdict": "lossy" if share < 0.8 else "verified",
    }  # fmt: skip


def test_where_nothing_was_asked_a_file_without_the_training_is_not_chosen():
    entries = [swallowed("F16", 540, 1.0), swallowed("Q4_K_M", 250, 0.04)]
    assert choose_file({"files": entries}, ["F16", "Q4_K_M"]) == "F16"
    entries = [swallowed("Q4_0", 240, 0.3), swallowed("Q4_K_M", 250, 0.04)]
    assert choose_file({"files": entries}, ["Q4_0", "Q4_K_M"]) == "Q4_0"
    comment = choice_comment({"files": entries}, "model-Q4_0.gguf")
    assert "model-Q4_0.gguf: only 30%" in comment
    assert "model-Q4_K_M.gguf: only 4%" in comment
    assert comment.count("not verified") == 2


def test_a_file_that_lost_facts_is_named_with_that_word_in_both_languages():
    report = {"files": [F16, LOSSY]}
    comment = choice_comment(report, "model-F16.gguf")
    assert "all 23" in comment
    assert lossy_lines(report) == {"model-Q4_K_M.gguf": "model-Q4_K_M.gguf keeps 2 of 23 taught facts: not verified."}
    assert lossy_lines(report)["model-Q4_K_M.gguf"] in comment
    set_language("ja")
    assert "検証済みではありません" in lossy_lines(report)["model-Q4_K_M.gguf"]


def test_a_divergence_does_not_follow_the_sum_of_probabilities():
    """llama.cpp's probabilities sum to up to 1.0005: equal distributions are 0 apart, and no KL is negative."""
    expected = np.log(np.array([0.7, 0.2, 0.1], np.float32))
    assert divergence(expected, expected + np.float32(5e-4)) == pytest.approx(0, abs=1e-9)
    got = np.log(np.array([0.6, 0.3, 0.1]) * 1.0005)
    wanted = 0.7 * np.log(0.7 / 0.6) + 0.2 * np.log(0.2 / 0.3)
    assert divergence(expected, got) == pytest.approx(wanted, rel=1e-5)


def test_entries_that_are_not_listed_count_as_one():
    expected = np.log(np.array([0.7, 0.2, 0.06, 0.04], np.float32))
    got = np.array([np.log(0.6), np.log(0.3), -np.inf, -np.inf])
    wanted = 0.7 * np.log(0.7 / 0.6) + 0.2 * np.log(0.2 / 0.3)
    assert divergence(expected, got) == pytest.approx(wanted, rel=1e-4)
