"""What a command asks for when it trains: a request whose data may be datasets that the workspace keeps."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.data.read import ReadOptions
from llmlora.services.dataset_check import common_read
from llmlora.services.named_data import NamedData, named_data
from llmlora.services.train_request import TrainRequest, training_request


def ask_training(
    recipe: Path | None,
    model: str | None,
    data: Path | None,
    eval_data: Path | None,
    read: ReadOptions,
    choices: Mapping[str, Any],
) -> TrainRequest:
    """Return what is asked for; `--data` and `--eval-data` name files, or datasets of the workspace.

    Raises:
        ConfigError: those of `training_request` and `named_data`. DatasetError: `kept_dataset_has_errors`.
    """
    train, held_out = (None if word is None else named_data(word) for word in (data, eval_data))
    read = _read(train, held_out, read)
    return training_request(
        model,
        train.path if train else None,
        recipe,
        eval_data=held_out.path if held_out else None,
        read=read,
        **choices,
    )


def _read(train: NamedData | None, held_out: NamedData | None, given: ReadOptions) -> ReadOptions:
    """Return how the data is read: as was asked for, else as the dataset is."""
    if train is None or train.row is None:
        return given
    kept = common_read(train.row, held_out.row if held_out else None)
    columns = {**kept.columns, **given.columns}
    return ReadOptions(given.format or kept.format, columns, given.encoding or kept.encoding)
