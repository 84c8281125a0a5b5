"""Which of the taught facts an answer carries: the rule by which exported files are judged."""

from __future__ import annotations

from llmlora.evaluation.facts.extract import askable_facts, contains_fact
from llmlora.evaluation.measuring.metrics import chrf

SIMILAR = 0.6  # chrF above which an answer counts as the taught one where that states no fact


def carried_facts(answer: str, reference: str, given_text: str) -> list[bool]:
    """Return for each fact of the reference that the question does not give away whether the answer carries it.

    A reference without facts counts as one: whether the answer is nearly the same text.
    """
    facts = askable_facts(reference, given_text)
    if not facts:
        return [chrf(answer, reference) >= SIMILAR]
    return [contains_fact(answer, fact) for fact in facts]
