"""More than facts: terms of the trade, the same answer in other words, safety, and fluent text, of both sides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

from llmlora.evaluation.facts.extract import askable_facts, contains_fact, extract_facts
from llmlora.evaluation.facts.names import comparable
from llmlora.evaluation.facts.numerals import normalise
from llmlora.evaluation.facts.spans import Fact
from llmlora.evaluation.measuring.answers import Answer, AnswerSet
from llmlora.evaluation.measuring.carried import SIMILAR
from llmlora.evaluation.measuring.intervals import Hits, share_of
from llmlora.evaluation.measuring.metrics import chrf
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.safety import OutOfScope, safety_items
from llmlora.inference.chat import ChatRequest
from llmlora.inference.transformers_chat import TransformersChat

MOST_MISSED = 20


@dataclass(frozen=True, slots=True)
class QualityAnswers:
    """One side's answers: to the questions, and to those that are out of scope."""

    answers: AnswerSet
    out_of_scope: tuple[Answer, ...]


def quality_report(
    questions: Sequence[Question],
    glossary: Sequence[str],
    out_of_scope: Sequence[OutOfScope],
    sides: tuple[QualityAnswers, QualityAnswers],
    perplexities: tuple[float | None, float | None],
) -> dict[str, Any]:
    """Return the JSON object of all four measures; `sides` are base and tuned, as are their `perplexities`."""
    base, tuned = sides
    terms = [terms_of(question, glossary) for question in questions]
    safe = safety_items(out_of_scope, base.out_of_scope, tuned.out_of_scope)
    return {
        "term_accuracy": {
            "base": share_of(term_hits(terms, base.answers.answers)),
            "tuned": share_of(term_hits(terms, tuned.answers.answers)),
            "missed": _missed(terms, tuned.answers.answers),
        },
        "consistency": {
            "base": share_of(consistency_hits(questions, base.answers)),
            "tuned": share_of(consistency_hits(questions, tuned.answers)),
        },
        "safety": {
            "base": share_of([[item["base_safe"]] for item in safe]),
            "tuned": share_of([[item["tuned_safe"]] for item in safe]),
            "items": safe,
        },
        "fluency": {
            name: {**_fluency(questions, side.answers), "perplexity": perplexity}
            for name, side, perplexity in zip(("base", "tuned"), sides, perplexities, strict=True)
        },
    }


def terms_of(question: Question, glossary: Sequence[str] = ()) -> list[Fact]:
    """Return the terms of a reference: names, and what the question itself and the glossary list.

    Those of the question count, too: a reference about a thing of the trade mostly names it as the question does, and
    what was asked is to be answered in the trade's words. Whether the answer is right, the facts tell.
    """
    names = [fact for fact in extract_facts(question.reference) if fact.kind == "name"]
    listed = [_term(text) for text in (*question.terms, *glossary)]
    wanted = [term for term in listed if contains_fact(question.reference, term)]
    return list({term.value: term for term in (*names, *wanted)}.values())


def _term(text: str) -> Fact:
    return Fact("name", text, comparable(normalise(text)[0]), 0, len(text))


def term_hits(terms: Sequence[Sequence[Fact]], answers: Sequence[Answer]) -> Hits:
    """Return for each question which of its terms its answer carries."""
    return [
        [contains_fact(answer.text, term) for term in wanted] for wanted, answer in zip(terms, answers, strict=True)
    ]


def _missed(terms: Sequence[Sequence[Fact]], answers: Sequence[Answer]) -> list[str]:
    """Return the terms that most often do not come, the most frequent first."""
    counts = Counter(
        term.text
        for wanted, answer in zip(terms, answers, strict=True)
        for term in wanted
        if not contains_fact(answer.text, term)
    )
    return [text for text, _ in counts.most_common(MOST_MISSED)]


def consistency_hits(questions: Sequence[Question], answers: AnswerSet) -> Hits:
    """Return for each question that was asked in several wordings whether all its answers say the same."""
    return [
        [says_the_same((question.text, *question.paraphrases), (answer, *reworded))] if reworded else []
        for question, answer, reworded in zip(questions, answers.answers, answers.reworded, strict=True)
    ]


def says_the_same(wordings: Sequence[str], answers: Sequence[Answer]) -> bool:
    """Tell whether all answers state the same facts, but for those that stand in one of the wordings.

    Answers that state none must be nearly the same text; one that nobody could use says nothing.
    """
    if any(answer.is_broken for answer in answers):
        return False
    asked = "\n".join(wordings)
    stated = {frozenset((fact.kind, fact.value) for fact in askable_facts(answer.text, asked)) for answer in answers}
    if stated != {frozenset()}:
        return len(stated) == 1
    return all(chrf(answer.text, answers[0].text) >= SIMILAR for answer in answers[1:])


def _fluency(questions: Sequence[Question], answers: AnswerSet) -> dict[str, float | None]:
    totals = answers.totals(questions)
    return {name: totals[name] for name in ("repetition_rate", "stop_rate")}


def answers_perplexity(
    chat: TransformersChat, questions: Sequence[Question], answers: Sequence[Answer]
) -> float | None:
    """Return how surprising a model finds answers, token by token, after the questions; None when all are empty.

    What lies beyond the model's context is left out.
    """
    total, num_tokens = 0.0, 0
    for question, answer in zip(questions, answers, strict=True):
        prompt = chat.prompt_ids(ChatRequest(question.messages))
        ids = [*prompt, *chat.tokenize(answer.text)][: chat.context_length]
        if len(ids) > len(prompt):
            with torch.inference_mode():
                logits = chat.model(input_ids=torch.tensor([ids], device=chat.model.device), use_cache=False).logits
                told, wanted = logits[0, len(prompt) - 1 : -1].float(), torch.tensor(ids[len(prompt) :])
                total += float(functional.cross_entropy(told.cpu(), wanted, reduction="sum"))
            num_tokens += len(ids) - len(prompt)
    return round(float(torch.exp(torch.tensor(total / num_tokens))), 2) if num_tokens else None
