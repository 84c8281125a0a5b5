"""Was tuning needed? The base alone, with a prompt, with examples, and the tuned model, on the same questions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llmlora.core.examples import Message
from llmlora.evaluation.measuring.answers import Answer, AnswerSet, Prompt
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.evaluation.measuring.intervals import Hits, overlap, share_of
from llmlora.evaluation.measuring.like_rows import LikeRows
from llmlora.evaluation.measuring.metrics import mean
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.wordings import TrainedPrompts
from llmlora.inference.chat import ChatRequest
from llmlora.inference.transformers_chat import TransformersChat

NUM_EXAMPLES = 4
# What the model is told where the questions come without a system message, in their own language.
SYSTEM_PROMPTS = {
    "ja": "あなたは質問に正確に答えるアシスタントです。聞かれたことだけを、一文か二文で答えてください。",
    "en": "You are an assistant that answers questions exactly. Say what was asked for, in one or two sentences.",
}
_JAPANESE = re.compile(r"[ぁ-んァ-ヴ一-鿿]")


class Prompts:
    """How the base is asked on each rung; examples that do not fit into its context are left out, the least like first.

    A model that is asked with the user's text alone gets what stands in front of the question as lines of that text.
    """

    def __init__(self, rows: LikeRows, chat: TransformersChat, max_new_tokens: int) -> None:
        self._rows = rows
        self._chat = chat
        self._room = chat.context_length - max_new_tokens

    def by_rung(self) -> Iterator[tuple[str, Prompt]]:
        """Yield each rung of the base with its prompt; without rows there are no examples."""
        yield "base", bare
        yield "system", self.with_system
        if len(self._rows):
            yield "few_shot", self.with_examples

    def with_system(self, question: Question, text: str) -> tuple[Message, ...]:
        """Return the question after its own system message, else after one in its language."""
        return self._after([Message("system", system_prompt(question))], bare(question, text))

    def with_examples(self, question: Question, text: str) -> tuple[Message, ...]:
        """Return the question after rows that are like it, and after its own system message if it has one."""
        asked = bare(question, text)
        lead = [turn for turn in question.messages[:1] if turn.role == "system"]
        examples = self._rows.like(question, text, NUM_EXAMPLES)
        while True:
            shown = [turn for row in examples for turn in (row.messages[-1], Message("assistant", row.reference))]
            messages = self._after([*lead, *shown], asked)
            if not examples or len(self._chat.prompt_ids(ChatRequest(messages))) <= self._room:
                return messages
            examples = examples[1:]

    def _after(self, before: Sequence[Message], asked: tuple[Message, ...]) -> tuple[Message, ...]:
        if not self._chat.is_raw:
            return (*before, *asked)
        return (Message("user", "\n".join(turn.content for turn in (*before, asked[-1]))),)


def bare(question: Question, text: str) -> tuple[Message, ...]:
    """Return the question in the wording `text` without a system message."""
    messages = question.reworded(text).messages
    return messages[1:] if messages[0].role == "system" else messages


def system_prompt(question: Question) -> str:
    """Return the system message that a question comes with, else what the rung with a prompt says."""
    if question.messages[0].role == "system":
        return question.messages[0].content
    return SYSTEM_PROMPTS["ja" if _JAPANESE.search(question.text) else "en"]


def ladder_report(
    questions: Sequence[Question], rungs: Mapping[str, AnswerSet], trained: TrainedPrompts
) -> dict[str, Any]:
    """Return what each rung carries of the taught facts and costs, and whether a prompt does as well as tuning.

    `rungs` are in the order of their effort, the tuned model last. What counts is the same for all: a fact of the
    reference that the question does not give away; a reference without facts counts as one (`carried_facts`).
    """
    found = [{"name": name, **_rung(questions, answers, trained)} for name, answers in rungs.items()]
    *prompts, tuned = found
    best = max(prompts, key=lambda rung: rung["facts"]["share"])  # of equals the first, which is the simplest
    items = [
        {
            "question": question.text,
            "reference": question.reference,
            "answers": {name: answers.answers[number].text for name, answers in rungs.items()},
        }
        for number, question in enumerate(questions)
    ]
    return {
        "verdict": _verdict(best["facts"], tuned["facts"]),
        "best_prompt": best["name"],
        "rungs": found,
        "system_prompt": system_prompt(questions[0]),
        "max_examples": NUM_EXAMPLES,
        "items": items,
    }


def _verdict(prompt: Mapping[str, Any], tuned: Mapping[str, Any]) -> str:
    if overlap((prompt["low"], prompt["high"]), (tuned["low"], tuned["high"])):
        return "as_well"
    return "better" if prompt["share"] > tuned["share"] else "worse"


def _rung(questions: Sequence[Question], answers: AnswerSet, trained: TrainedPrompts) -> dict[str, Any]:
    as_trained, other_words = _hits(questions, answers, trained)
    both = [[*one, *other] for one, other in zip(as_trained, other_words, strict=True)]
    given = [*answers.answers, *(answer for reworded in answers.reworded for answer in reworded)]
    return {
        "facts": share_of(both),
        "as_trained": share_of(as_trained),
        "other_words": share_of(other_words),
        "seconds_per_answer": round(mean(answer.seconds for answer in given) or 0.0, 3),
        "tokens_per_answer": round(mean(float(answer.num_tokens) for answer in given) or 0.0, 1),
        "prompt_tokens_per_answer": round(mean(float(answer.num_prompt_tokens) for answer in given) or 0.0, 1),
    }


def _hits(questions: Sequence[Question], answers: AnswerSet, trained: TrainedPrompts) -> tuple[Hits, Hits]:
    """Return for each question which facts came when it was asked as trained, and in other words.

    A mere other ending of a question is no other wording, as in the rest of the report.
    """
    as_trained: Hits = []
    other_words: Hits = []
    for question, answer, reworded in zip(questions, answers.answers, answers.reworded, strict=True):
        as_asked = _carried(question, answer)
        is_other = trained.of_question(question.text) == "other_words"
        as_trained.append([] if is_other else as_asked)
        other_words.append(as_asked if is_other else [])
        for text, other in zip(question.paraphrases, reworded, strict=True):
            if trained.of_paraphrase(text, question.text) == "other_words":
                other_words[-1] += _carried(question, other)
    return as_trained, other_words


def _carried(question: Question, answer: Answer) -> list[bool]:
    return carried_facts(answer.text, question.reference, question.given_text)
