"""What the training data gives a verification: texts to compare tokens on, and the questions that were taught."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from llmlora.core.errors import LlmloraError
from llmlora.core.examples import Example
from llmlora.core.publish import sha256_file
from llmlora.data.asked import Asked, asked_of
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.inference.trained_job import TrainedJob

NUM_SAMPLES = 8
NUM_TAUGHT = 24
MAX_ROWS_READ = 10_000


@dataclass(frozen=True)
class DataSamples:
    """A few questions and texts of the data, the taught questions with their rows, and why there are none.

    `problem` is `data_gone`, `data_changed`, `data_unreadable` or None.
    """

    questions: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    taught: tuple[tuple[int, Asked], ...] = ()
    num_rows: int = 0
    problem: str | None = None


def data_samples(trained: TrainedJob) -> DataSamples:
    """Read the training data as the job did: its columns, encoding and format.

    Data that is gone, unreadable or no longer what was trained on gives nothing but its `problem`.
    """
    source = trained.job.data
    path = Path(source.path)
    options = ReadOptions(format=source.format, columns=source.columns, encoding=source.encoding)  # type: ignore[arg-type]
    try:
        if not path.is_file():
            return DataSamples(problem="data_gone")
        if sha256_file(path) != source.sha256:
            return DataSamples(problem="data_changed")
        rows = list(islice(iter_examples(path, options), MAX_ROWS_READ))
    except (LlmloraError, OSError):
        return DataSamples(problem="data_unreadable")
    sampled = rows[:NUM_SAMPLES]
    asked = [(row.row, found) for row in rows if (found := asked_of(row, trained.job.train.system)) is not None]
    questions = tuple(found.messages[-1].content for _, found in asked[:2])
    texts = tuple(text[:500] for row in sampled for text in _texts(row))
    return DataSamples(questions, texts, tuple(_spread(asked)), len(sampled))


def _texts(example: Example) -> list[str]:
    turns = [turn.content for turn in example.messages]
    return turns or [text for text in (example.prompt, example.completion, example.text) if text]


def _spread(asked: list[tuple[int, Asked]]) -> list[tuple[int, Asked]]:
    """Return at most NUM_TAUGHT questions, each text once, spread by a hash of it, in the order of the data."""
    first = {found.messages: (row, found) for row, found in reversed(asked)}
    ranked = sorted(
        first.values(),
        key=lambda entry: hashlib.sha256(entry[1].messages[-1].content.encode("utf-8", "replace")).digest(),
    )
    return sorted(ranked[:NUM_TAUGHT], key=lambda entry: entry[0])
