"""Put both models' answers side by side and judge every fact of every reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from llmlora.evaluation.answers import Answer, AnswerSet
from llmlora.evaluation.facts import VERDICTS, Verdict, askable_facts, contains_fact, judge, worst_verdict
from llmlora.evaluation.questions import Question
from llmlora.evaluation.spans import Fact

Item = dict[str, Any]


def score_items(questions: Sequence[Question], base: AnswerSet, tuned: AnswerSet) -> list[Item]:
    """Return one JSON object per question, in the order of the questions."""
    return [
        _item(number, question, (base.answers[number], tuned.answers[number]), tuned.reworded[number])
        for number, question in enumerate(questions)
    ]


def _item(number: int, question: Question, answers: tuple[Answer, Answer], reworded: Sequence[Answer]) -> Item:
    base, tuned = answers
    wanted = askable_facts(question.reference, question.given_text)
    facts = [_judged(fact, base.text, tuned.text, [answer.text for answer in reworded]) for fact in wanted]
    verdict = worst_verdict(fact["verdict"] for fact in facts)
    return {
        "index": number + 1,
        "row": question.row,
        "question": question.text,
        "messages": [{"role": turn.role, "content": turn.content} for turn in question.messages],
        "reference": question.reference,
        "base": base.to_dict(question.reference),
        "tuned": tuned.to_dict(question.reference),
        "paraphrases": [
            {
                "question": text,
                "text": answer.text,
                "has_facts": bool(wanted) and all(contains_fact(answer.text, fact) for fact in wanted),
            }
            for text, answer in zip(question.paraphrases, reworded, strict=False)
        ],
        "facts": facts,
        "verdict": verdict,
    }


def _judged(fact: Fact, base: str, tuned: str, reworded: Sequence[str]) -> dict[str, Any]:
    hits = [contains_fact(text, fact) for text in reworded]
    base_hit, tuned_hit = contains_fact(base, fact), contains_fact(tuned, fact)
    return {
        **fact.to_dict(),
        "base": base_hit,
        "tuned": tuned_hit,
        "paraphrase_hits": sum(hits),
        "num_paraphrases": len(hits),
        "verdict": judge(base_hit, tuned_hit, hits or None),
    }


def count_facts(items: Sequence[Item]) -> dict[str, int]:
    """Return how many facts got each verdict, and what one line can say about them.

    `remembered` are the facts in the tuned model's answers; `questions_carried` are the questions all of whose facts
    it gave, of `questions_with_facts`; `rewordings_carried` are the same for the questions asked in other words.
    """
    counts: Counter[Verdict] = Counter(fact["verdict"] for item in items for fact in item["facts"])
    with_facts = [item for item in items if item["facts"]]
    return {
        "total": counts.total(),
        "remembered": sum(fact["tuned"] for item in items for fact in item["facts"]),
        "remembered_before": sum(fact["base"] for item in items for fact in item["facts"]),
        **{verdict: counts[verdict] for verdict in VERDICTS},
        "questions_with_facts": len(with_facts),
        "questions_carried": sum(all(fact["tuned"] for fact in item["facts"]) for item in with_facts),
        "questions_carried_before": sum(all(fact["base"] for fact in item["facts"]) for item in with_facts),
        "rewordings_asked": sum(len(item["paraphrases"]) for item in with_facts),
        "rewordings_carried": sum(entry["has_facts"] for item in with_facts for entry in item["paraphrases"]),
    }


def losses_first(items: Sequence[Item]) -> list[Item]:
    """Return items with lost and missing facts before learned ones; those without facts follow, worst score first."""

    def rank(item: Item) -> tuple[int, float]:
        place = VERDICTS.index(item["verdict"]) if item["verdict"] else len(VERDICTS)
        return place, item["tuned"]["chrf"] - item["base"]["chrf"]

    return sorted(items, key=rank)
