"""Answers of one model to the questions, greedy, so that nothing but the weights can make a difference."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.evaluation.measuring.metrics import char_bleu, chrf, exact_match, is_repetitive, mean, rouge_l
from llmlora.evaluation.measuring.questions import Question
from llmlora.inference.chat import ChatModel, ChatRequest

OnAnswer = Callable[[], None]
Prompt = Callable[[Question, str], tuple[Message, ...]]  # the turns that ask a question in a wording


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered to one question, and how long it took."""

    text: str
    has_stopped: bool
    num_tokens: int
    seconds: float
    num_prompt_tokens: int = 0

    @property
    def is_repetitive(self) -> bool:
        """Whether the answer runs in circles."""
        return is_repetitive(self.text)

    @property
    def is_broken(self) -> bool:
        """Whether nobody could use it: empty, or running in circles."""
        return not self.text.strip() or self.is_repetitive

    def to_dict(self, reference: str) -> dict[str, Any]:
        """Return the JSON object of this answer with its scores against a reference."""
        return {
            "text": self.text,
            "finish_reason": "stop" if self.has_stopped else "length",
            "num_tokens": self.num_tokens,
            "seconds": round(self.seconds, 3),
            "exact_match": exact_match(self.text, reference),
            "chrf": round(chrf(self.text, reference), 4),
            "rouge_l": round(rouge_l(self.text, reference), 4),
            "char_bleu": round(char_bleu(self.text, reference), 4),
            "is_repetitive": self.is_repetitive,
        }


@dataclass(frozen=True, slots=True)
class AnswerSet:
    """One model's answers: one per question, and one per wording of those that were asked in other words too."""

    answers: tuple[Answer, ...]
    reworded: tuple[tuple[Answer, ...], ...]

    def totals(self, questions: Sequence[Question]) -> dict[str, Any]:
        """Return the mean scores and rates of this model."""
        scored = [answer.to_dict(item.reference) for answer, item in zip(self.answers, questions, strict=True)]
        rates: dict[str, Iterable[float]] = {
            "exact_match": (float(entry["exact_match"]) for entry in scored),
            "chrf": (entry["chrf"] for entry in scored),
            "rouge_l": (entry["rouge_l"] for entry in scored),
            "char_bleu": (entry["char_bleu"] for entry in scored),
            "stop_rate": (float(answer.has_stopped) for answer in self.answers),
            "repetition_rate": (float(answer.is_repetitive) for answer in self.answers),
            "empty_rate": (float(not answer.text.strip()) for answer in self.answers),
        }
        means = {name: mean(values) for name, values in rates.items()}
        seconds = sum(answer.seconds for answer in self.answers)
        return {
            **{name: None if value is None else round(value, 4) for name, value in means.items()},
            "num_tokens": sum(answer.num_tokens for answer in self.answers),
            "seconds": round(seconds, 3),
        }


def ask(model: ChatModel, question: Question, max_new_tokens: int) -> Answer:
    """Ask one question and return the answer."""
    started = time.monotonic()
    reply = model.chat(ChatRequest(question.messages, options=GenerateOptions(max_new_tokens=max_new_tokens)))
    seconds = time.monotonic() - started
    return Answer(reply.text, reply.finish_reason == "stop", reply.num_tokens, seconds, reply.num_prompt_tokens)


def as_given(question: Question, text: str) -> tuple[Message, ...]:
    """Return the turns of a question in the wording `text`, with nothing else in front."""
    return question.reworded(text).messages


def ask_all(
    model: ChatModel,
    questions: Sequence[Question],
    max_new_tokens: int,
    with_rewordings: bool,
    on_answer: OnAnswer,
    prompt: Prompt = as_given,
) -> AnswerSet:
    """Ask all questions in order; `on_answer` is called after each answer and may stop by raising."""

    def asked(question: Question, text: str) -> Answer:
        answer = ask(model, replace(question, messages=prompt(question, text)), max_new_tokens)
        on_answer()
        return answer

    answers = tuple(asked(question, question.text) for question in questions)
    reworded = tuple(
        tuple(asked(question, text) for text in question.paraphrases) if with_rewordings else ()
        for question in questions
    )
    return AnswerSet(answers, reworded)
