"""What is asked for with `train`, before anything is settled: model and data by name, or a recipe with changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from llmlora.core.errors import ConfigError
from llmlora.core.job import Replay
from llmlora.data.read import ReadOptions
from llmlora.services.recipe import Recipe, ReplayWish


@dataclass(frozen=True)
class TrainRequest:
    """What the user asked for, before anything is settled.

    `replay` is what of earlier data is among the rows, `earlier` what a recipe wants to be mixed in first.
    """

    base_model: str
    data: Path
    eval_data: Path | None = None
    preset: str | None = None
    training_preset: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    read: ReadOptions = field(default_factory=ReadOptions)
    out: Path | None = None
    replay: Replay | None = None
    earlier: ReplayWish | None = None


def training_request(
    base_model: str | None,
    data: str | Path | None,
    recipe: str | Path | None = None,
    *,
    eval_data: str | Path | None = None,
    read: ReadOptions | None = None,
    **choices: Any,
) -> TrainRequest:
    """Return what is asked for: model and data by name, or a recipe with what is given on top of it.

    `recipe` is a recipe file or the `config.json` of a job; `choices` are further fields of `TrainRequest`.

    Raises:
        ConfigError: neither, or both, of recipe and model with data; a wrong recipe.
    """
    if recipe is None:
        if base_model is None or data is None:
            missing = "--model" if base_model is None else "--data"
            raise ConfigError("missing_argument", name=missing, command="llmlora train")
        request = TrainRequest(base_model, Path(data), **choices)
    elif base_model is not None or data is not None:
        raise ConfigError("recipe_or_options")
    else:
        found = Recipe.read(Path(recipe))
        kept: dict[str, Any] = {"recipe": found.settings, "read": found.read_options}
        kept |= {"replay": found.replay, "earlier": found.earlier}
        request = TrainRequest(found.base_model, found.data, found.eval_data, **kept, **choices)
    given = read or ReadOptions()
    merged = ReadOptions(
        format=given.format or request.read.format,
        columns={**request.read.columns, **given.columns},
        encoding=given.encoding or request.read.encoding,
    )
    return replace(request, eval_data=Path(eval_data) if eval_data else request.eval_data, read=merged)
