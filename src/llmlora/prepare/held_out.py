"""Which prepared rows of a job are trained on and which are held out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from llmlora.core.errors import ConfigError
from llmlora.core.job import FIRST_RULES, JobConfig
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.data.split import content_keys, split_indices
from llmlora.prepare.dataset import PreparedDataset


def held_out_split(job: JobConfig, prepared: PreparedDataset) -> tuple[list[int], list[int]]:
    """Return the positions in `prepared` to train on, and those that `validation_split` holds out.

    The content decides, as in `dataset convert --split`: the copies of a row, and all training rows that one example
    makes, are on the same side.

    Raises:
        ConfigError: `copies_cannot_be_split`: all rows are the same.
    """
    numbers = [int(number) for number in prepared.rows]
    if job.rules == FIRST_RULES:
        return split_indices(numbers, job.train.validation_split, job.train.seed)
    source = job.data
    read = ReadOptions(format=source.format, columns=source.columns, encoding=source.encoding)  # type: ignore[arg-type]
    return split_by_content(Path(source.path), read, numbers, job.train.validation_split, job.train.seed)


def split_by_content(
    path: Path, read: ReadOptions, numbers: Sequence[int], fraction: float, seed: int
) -> tuple[list[int], list[int]]:
    """Return the positions of training rows to train on, and those held out; `numbers` are their examples (1-based).

    Raises:
        ConfigError: `copies_cannot_be_split`: all rows are the same.
    """
    by_row = content_keys(iter_examples(path, read))
    train, held_out = split_indices([by_row[number] for number in numbers], fraction, seed)
    if not held_out:
        raise ConfigError("copies_cannot_be_split", path=str(path))
    return train, held_out
