"""What a command asks for when it trains: a request whose data may be datasets that the workspace keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llmlora.data.read import ReadOptions
from llmlora.services.dataset_check import common_read
from llmlora.services.named_data import NamedData, named_data
from llmlora.services.recipe import ReplayWish
from llmlora.services.replay import MixingPlace, with_replay
from llmlora.services.train_request import TrainRequest, training_request
from llmlora.store.jobs import DatasetUse


@dataclass(frozen=True)
class AskedTraining:
    """A request, the name that its job gets, and the datasets that it reads."""

    request: TrainRequest
    name: str
    datasets: Sequence[DatasetUse]

    def mixed(self, wish: ReplayWish | None, place: MixingPlace) -> AskedTraining:
        """Return the same with earlier rows mixed in, where they are asked for; raises what `with_replay` does."""
        return replace(self, request=with_replay(self.request, wish, place))


def ask_training(
    recipe: Path | None,
    model: str | None,
    data: Path | None,
    eval_data: Path | None,
    read: ReadOptions,
    choices: Mapping[str, Any],
) -> AskedTraining:
    """Return what is asked for; `--data` and `--eval-data` name files, or datasets of the workspace.

    Raises:
        ConfigError: those of `training_request` and `named_data`. DatasetError: `kept_dataset_has_errors`.
    """
    train, held_out = (None if word is None else named_data(word) for word in (data, eval_data))
    read = _read(train, held_out, read)
    request = training_request(
        model,
        train.path if train else None,
        recipe,
        eval_data=held_out.path if held_out else None,
        read=read,
        **choices,
    )
    uses = _uses("train", train) + _uses("eval", held_out)
    name = train.name if train else request.data.stem
    return AskedTraining(request, name, uses)


def _read(train: NamedData | None, held_out: NamedData | None, given: ReadOptions) -> ReadOptions:
    """Return how the data is read: as was asked for, else as the dataset is."""
    if train is None or train.row is None:
        return given
    kept = common_read(train.row, held_out.row if held_out else None)
    columns = {**kept.columns, **given.columns}
    return ReadOptions(given.format or kept.format, columns, given.encoding or kept.encoding)


def _uses(role: str, data: NamedData | None) -> list[DatasetUse]:
    return [DatasetUse(data.row.id, role)] if data is not None and data.row is not None else []
