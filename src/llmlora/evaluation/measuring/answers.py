"""Answers of one model to the questions, greedy, so that nothing but the weights can make a difference."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.evaluation.measuring.metrics import char_bleu, chrf, exact_match, is_repetitive, mean, rouge_l
from llmlora.evaluation.measuring.questions import Question
from llmlora.inference.chat import ChatModel, ChatReply, ChatRequest
from llmlora.inference.together import chat_all
from llmlora.inference.transformers_chat import TransformersChat

OnAnswer = Callable[[], None]
Prompt = Callable[[Question, str], tuple[Message, ...]]  # the turns that ask a question in a wording


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model answered to one question, and its part of the time: questions asked together share it by tokens."""

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
    return _ask(model, ChatRequest(question.messages, options=GenerateOptions(max_new_tokens=max_new_tokens)))


def _ask(model: ChatModel, request: ChatRequest) -> Answer:
    started = time.monotonic()
    reply = model.chat(request)
    return _answer(reply, time.monotonic() - started)


def _answer(reply: ChatReply, seconds: float) -> Answer:
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
    """Ask all questions, several together if it can; `on_answer` is called after each and may stop by raising."""
    rewordings = [question.paraphrases if with_rewordings else () for question in questions]
    wordings = [(question, question.text) for question in questions]
    wordings += [(question, text) for question, texts in zip(questions, rewordings, strict=True) for text in texts]
    given = iter(_answers(model, [prompt(*wording) for wording in wordings], max_new_tokens, on_answer))
    answers = tuple(next(given) for _ in questions)
    return AnswerSet(answers, tuple(tuple(next(given) for _ in texts) for texts in rewordings))


def _answers(
    model: ChatModel, asked: Sequence[tuple[Message, ...]], max_new_tokens: int, on_answer: OnAnswer
) -> list[Answer]:
    requests = [ChatRequest(turns, options=GenerateOptions(max_new_tokens=max_new_tokens)) for turns in asked]
    if isinstance(model, TransformersChat):
        return [_answer(found.reply, found.seconds) for found in chat_all(model, requests, on_answer)]
    answers = []
    for request in requests:
        answers.append(_ask(model, request))
        on_answer()
    return answers
