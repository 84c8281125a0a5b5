"""Put both models' answers side by side and judge every fact of every reference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from llmlora.evaluation.facts.extract import (
    PARAPHRASES_NEEDED,
    VERDICTS,
    Verdict,
    askable_facts,
    contains_fact,
    judge,
    worst_verdict,
)
from llmlora.evaluation.facts.spans import Fact
from llmlora.evaluation.measuring.answers import Answer, AnswerSet
from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.wordings import TrainedPrompts

Item = dict[str, Any]


def score_items(
    questions: Sequence[Question], base: AnswerSet, tuned: AnswerSet, trained: TrainedPrompts | None = None
) -> list[Item]:
    """Return one JSON object per question, in the order of the questions; `trained` tells how each was asked."""
    prompts = trained or TrainedPrompts()
    return [
        _item(number, question, (base.answers[number], tuned.answers[number]), tuned.reworded[number], prompts)
        for number, question in enumerate(questions)
    ]


def _item(
    number: int,
    question: Question,
    answers: tuple[Answer, Answer],
    reworded: Sequence[Answer],
    trained: TrainedPrompts,
) -> Item:
    base, tuned = answers
    wanted = askable_facts(question.reference, question.given_text)
    wording = trained.of_question(question.text)
    paraphrases = [
        {
            "question": text,
            "text": answer.text,
            "wording": trained.of_paraphrase(text, question.text),
            "has_facts": bool(wanted) and all(contains_fact(answer.text, fact) for fact in wanted),
        }
        for text, answer in zip(question.paraphrases, reworded, strict=False)
    ]
    in_other_words = [str(entry["text"]) for entry in paraphrases if entry["wording"] == "other_words"]
    if wording == "other_words":
        in_other_words.insert(0, tuned.text)
    facts = [_judged(fact, base.text, tuned.text, in_other_words) for fact in wanted]
    return {
        "index": number + 1,
        "row": question.row,
        "question": question.text,
        "wording": wording,
        "messages": [{"role": turn.role, "content": turn.content} for turn in question.messages],
        "reference": question.reference,
        "base": base.to_dict(question.reference),
        "tuned": tuned.to_dict(question.reference),
        "paraphrases": paraphrases,
        "facts": facts,
        "verdict": worst_verdict(fact["verdict"] for fact in facts),
    }


def _judged(fact: Fact, base: str, tuned: str, in_other_words: Sequence[str]) -> dict[str, Any]:
    hits = [contains_fact(text, fact) for text in in_other_words]
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

    `in_other_words` are the facts answered in other words, of `asked_in_other_words`; `as_trained` those answered when
    asked as trained, of `asked_as_trained`. `remembered` are the facts in the tuned model's answers however it was
    asked; `questions_carried` are the questions all of whose facts it gave, of `questions_with_facts`;
    `rewordings_carried` and `other_endings_carried` are the same for other wordings, real ones and mere endings.
    """
    facts = [fact for item in items for fact in item["facts"]]
    as_trained = [fact for item in items for fact in item["facts"] if item["wording"] != "other_words"]
    reworded = [fact for fact in facts if fact["num_paraphrases"]]
    counts: Counter[Verdict] = Counter(fact["verdict"] for fact in facts)
    with_facts = [item for item in items if item["facts"]]
    wordings = [entry for item in with_facts for entry in item["paraphrases"]]
    real = [entry for entry in wordings if entry["wording"] == "other_words"]
    endings = [entry for entry in wordings if entry["wording"] != "other_words"]
    return {
        "total": counts.total(),
        "in_other_words": sum(is_known_in_other_words(fact) for fact in reworded),
        "asked_in_other_words": len(reworded),
        "as_trained": sum(fact["tuned"] for fact in as_trained),
        "asked_as_trained": len(as_trained),
        "remembered": sum(fact["tuned"] for fact in facts),
        "remembered_before": sum(fact["base"] for fact in facts),
        **{verdict: counts[verdict] for verdict in VERDICTS},
        "questions_with_facts": len(with_facts),
        "questions_carried": sum(all(fact["tuned"] for fact in item["facts"]) for item in with_facts),
        "questions_carried_before": sum(all(fact["base"] for fact in item["facts"]) for item in with_facts),
        "rewordings_asked": len(real),
        "rewordings_carried": sum(entry["has_facts"] for entry in real),
        "other_endings_asked": len(endings),
        "other_endings_carried": sum(entry["has_facts"] for entry in endings),
    }


def is_known_in_other_words(fact: dict[str, Any]) -> bool:
    """Tell whether enough answers to other wordings carry a fact: two, or the only one."""
    asked = int(fact["num_paraphrases"])
    return asked > 0 and int(fact["paraphrase_hits"]) >= min(PARAPHRASES_NEEDED, asked)


def losses_first(items: Sequence[Item]) -> list[Item]:
    """Return items with lost and missing facts before learned ones; those without facts follow, worst score first."""

    def rank(item: Item) -> tuple[int, float]:
        place = VERDICTS.index(item["verdict"]) if item["verdict"] else len(VERDICTS)
        return place, item["tuned"]["chrf"] - item["base"]["chrf"]

    return sorted(items, key=rank)
