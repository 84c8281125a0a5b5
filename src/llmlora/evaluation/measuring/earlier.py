"""Whether a job that was taught more still knows what was taught before: the earlier rows' facts, asked again."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from llmlora.core.errors import LlmloraError
from llmlora.core.job import JobConfig
from llmlora.core.publish import sha256_file
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.evaluation.facts.extract import askable_facts, contains_fact
from llmlora.evaluation.measuring.answers import Answer
from llmlora.evaluation.measuring.questions import MAX_ROWS_READ, Question, choose, questions_of

MAX_EARLIER = 60


def earlier_questions(job: JobConfig) -> tuple[Question, ...]:
    """Return questions of the data that was mixed into a job's own; none without such data, or where it is gone."""
    if job.replay is None:
        return ()
    source = job.replay.data
    path = Path(source.path)
    options = ReadOptions(format=source.format, columns=source.columns, encoding=source.encoding)  # type: ignore[arg-type]
    try:
        if not path.is_file() or sha256_file(path) != source.sha256:
            return ()
        rows = islice(iter_examples(path, options), MAX_ROWS_READ)
        return tuple(choose(list(questions_of(rows, job.train.system)), MAX_EARLIER))
    except (LlmloraError, OSError):
        return ()


def earlier_report(
    name: str, questions: Sequence[Question], before: Sequence[Answer], after: Sequence[Answer]
) -> dict[str, Any]:
    """Return how many facts of the earlier data came before and after, and which are `lost`.

    Lost is a fact that the trained model does not give: of those that the job's base gave, where that gave any; else,
    as when a job begins anew with all data, of all of them.
    """
    asked = [
        (question, fact, contains_fact(old.text, fact), contains_fact(new.text, fact), new.text)
        for question, old, new in zip(questions, before, after, strict=True)
        for fact in askable_facts(question.reference, question.given_text)
    ]
    num_before = sum(was_known for _, _, was_known, _, _ in asked)
    lost = [
        {
            "row": question.row,
            "question": question.text,
            "fact": fact.text,
            "answer": text,
        }
        for question, fact, was_known, is_known, text in asked
        if not is_known and (was_known or num_before == 0)
    ]
    return {
        "name": name,
        "num_questions": len(questions),
        "num_facts": len(asked),
        "num_before": num_before,
        "num_after": sum(is_known for _, _, _, is_known, _ in asked),
        "lost": lost,
    }
