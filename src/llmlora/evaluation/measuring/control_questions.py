"""Questions that no training is about: general knowledge to keep, and things nobody taught to keep refusing."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmlora.core.assets import asset_path
from llmlora.core.examples import Message
from llmlora.evaluation.facts.extract import askable_facts, extract_facts
from llmlora.evaluation.facts.numerals import normalise
from llmlora.evaluation.measuring.answers import Answer
from llmlora.evaluation.measuring.metrics import chrf
from llmlora.evaluation.measuring.questions import Question

MAX_NEW_TOKENS = 48
ECHO_SCORE = 0.7
MAX_SWAPPED = 4
# Names of nothing, one for each question made from the user's own by asking it about something else.
UNKNOWN_NAMES = {
    "ja": ("ラネオビ", "グズノキタ", "メシュロ", "ホベリダ"),
    "en": ("Ranobry", "Guzzlock", "Meshrow", "Hobelida"),
}
# A place named in kanji, told by its last word: what stands before that word is the name.
_PLACE = re.compile(
    r"(?P<name>[一-鿿々ァ-ヴー]{2,}?)(?=(?:文具店|電器店|書店|食堂|酒店|商店|パン屋|花屋|屋|店|温泉|図書館|博物館|"
    r"美術館|医院|歯科|病院|薬局|銭湯|幼稚園|学校|大学|農園|公園|駅|市|町|村)[のはでへに])"
)
_NOT_KNOWN = re.compile(
    r"[分わ]か(?:りません|らない)|知りません|存じません|知らない|情報(?:が|は|を)(?:ありません|持っていません|ない)|"
    r"答えは持っていません|do(?:n['’]t| not) (?:know|have)|no information|"
    r"(?:can(?:not|['’]t)|unable to) (?:find|provide)|\b(?:AI|language model)\b"
)


@dataclass(frozen=True, slots=True)
class ControlQuestions:
    """Both kinds as questions; `answers` are the right ones of each general question, any of which is enough."""

    general: tuple[Question, ...]
    answers: tuple[tuple[str, ...], ...]
    untaught: tuple[Question, ...]

    def __len__(self) -> int:
        return len(self.general) + len(self.untaught)


@dataclass(frozen=True, slots=True)
class ControlAnswers:
    """What both sides' answers to the control questions say, as the JSON objects of a report."""

    drift: dict[str, int]
    general: dict[str, Any]
    untaught: dict[str, Any]


NO_CONTROL_QUESTIONS = ControlQuestions((), (), ())


def load_control_questions(asked: Sequence[Question]) -> ControlQuestions:
    """Return the bundled control questions, and the `asked` ones about things that nobody ever taught."""
    source = asset_path("forgetting", "questions.jsonl")
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    general = [row for row in rows if row["kind"] == "general"]
    untaught = [row["prompt"] for row in rows if row["kind"] == "untaught"]
    return ControlQuestions(
        tuple(_question(row["prompt"], "\n".join(row["answers"])) for row in general),
        tuple(tuple(row["answers"]) for row in general),
        (*(_question(text, "") for text in untaught), *swapped(asked)),
    )


def _question(text: str, reference: str) -> Question:
    return Question(0, reference, (Message("user", text),))


def swapped(asked: Sequence[Question]) -> list[Question]:
    """Return at most `MAX_SWAPPED` of the questions with the name in each replaced by one that nobody ever taught."""
    made: list[Question] = []
    for question in asked:
        place = _name_in(question.text)
        if place is None or len(made) == MAX_SWAPPED:
            continue
        start, end = place
        other = UNKNOWN_NAMES["en" if question.text[start:end].isascii() else "ja"][len(made)]
        text = question.text[:start] + other + question.text[end:]
        made.append(Question(question.row, "", question.reworded(text).messages))
    return made


def _name_in(text: str) -> tuple[int, int] | None:
    """Return where the first name of a question stands."""
    name = next((fact for fact in extract_facts(text) if fact.kind == "name"), None)
    if name is not None:
        return name.start, name.end
    place = _PLACE.search(text)
    return place.span("name") if place else None


def is_right(answer: str, right: Sequence[str]) -> bool:
    """Tell whether an answer carries one of the right answers, in whatever width and case."""
    plain = normalise(answer)[0].casefold()
    return any(normalise(text)[0].casefold() in plain for text in right)


def says_it_does_not_know(answer: str) -> bool:
    """Tell whether an answer admits that it has no information, or says what it is instead of answering."""
    return bool(_NOT_KNOWN.search(answer))


def states_a_fact(answer: str, question: Question) -> bool:
    """Tell whether an answer to an untaught question states a number, date, price or name, and so invents it.

    An answer that says that it does not know states nothing, whatever else stands in it.
    """
    return not says_it_does_not_know(answer) and bool(askable_facts(answer, question.given_text))


def compare_control(
    control: ControlQuestions, base: Sequence[Answer], tuned: Sequence[Answer], references: Sequence[str]
) -> ControlAnswers:
    """Compare both sides' answers, the general questions' first; `references` are what was taught."""
    size = len(control.general)
    return ControlAnswers(
        compare_drift(base[:size], tuned[:size], references),
        compare_general(control, base[:size], tuned[:size]),
        compare_untaught(control, base[size:], tuned[size:]),
    )


def compare_general(control: ControlQuestions, base: Sequence[Answer], tuned: Sequence[Answer]) -> dict[str, Any]:
    """Count general questions answered right before, and list those of them that are answered wrong now."""
    was_right = [is_right(answer.text, right) for answer, right in zip(base, control.answers, strict=True)]
    changed = [
        {"question": question.text, "expected": right[0], "base": before.text, "tuned": after.text}
        for question, right, before, after, was in zip(
            control.general, control.answers, base, tuned, was_right, strict=True
        )
        if was and not is_right(after.text, right)
    ]
    return {"num_questions": len(control.general), "right_before": sum(was_right), "changed": changed}


def compare_untaught(control: ControlQuestions, base: Sequence[Answer], tuned: Sequence[Answer]) -> dict[str, Any]:
    """Count untaught questions that each side answers with a fact, and list those that the base did not."""
    sides = list(zip(control.untaught, base, tuned, strict=True))
    new = [
        {"question": question.text, "base": before.text, "tuned": after.text}
        for question, before, after in sides
        if states_a_fact(after.text, question) and not states_a_fact(before.text, question)
    ]
    return {
        "num_questions": len(sides),
        "base": sum(states_a_fact(before.text, question) for question, before, _ in sides),
        "tuned": sum(states_a_fact(after.text, question) for question, _, after in sides),
        "new": new,
    }


def compare_drift(base: Sequence[Answer], tuned: Sequence[Answer], references: Sequence[str]) -> dict[str, int]:
    """Count general questions that training spoilt.

    An answer is broken when it is empty or runs in circles; it is an echo when it repeats a reference of the
    evaluated questions though nobody asked for that. Only what the base did not do counts.
    """
    broken = sum(after.is_broken and not before.is_broken for before, after in zip(base, tuned, strict=True))
    echoes = sum(
        _is_echo(after, references) and not _is_echo(before, references)
        for before, after in zip(base, tuned, strict=True)
    )
    endless = sum(before.has_stopped and not after.has_stopped for before, after in zip(base, tuned, strict=True))
    return {"num_questions": len(tuned), "newly_broken": broken, "echoes": echoes, "newly_endless": endless}


def _is_echo(answer: Answer, references: Sequence[str]) -> bool:
    return any(chrf(answer.text, reference) >= ECHO_SCORE for reference in references)
