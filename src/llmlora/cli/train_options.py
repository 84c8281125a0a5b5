"""The options that say what is to be trained, of `llmlora train` and `llmlora plan` alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from llmlora.cli.completion import dataset_words
from llmlora.cli.words import settings_of
from llmlora.core.errors import ConfigError
from llmlora.core.locale import translate
from llmlora.core.presets import LORA_PRESETS, TRAINING_PRESETS
from llmlora.services.recipe import ReplayWish

Recipe = Annotated[
    Path | None, typer.Argument(metavar="RECIPE", help=translate("cli.train.recipe"), show_default=False)
]
Model = Annotated[str | None, typer.Option("--model", help=translate("cli.train.model"))]
Data = Annotated[Path | None, typer.Option("--data", help=translate("cli.train.data"), autocompletion=dataset_words)]
Preset = Annotated[
    str | None, typer.Option("--preset", help=translate("cli.train.preset", known=", ".join(LORA_PRESETS)))
]
TrainingPreset = Annotated[
    str | None,
    typer.Option("--training-preset", help=translate("cli.train.training_preset", known=", ".join(TRAINING_PRESETS))),
]
Settings = Annotated[list[str] | None, typer.Option("--set", help=translate("cli.train.set"), metavar="KEY=VALUE")]
EvalData = Annotated[
    Path | None, typer.Option("--eval-data", help=translate("cli.train.eval_data"), autocompletion=dataset_words)
]
InitAdapter = Annotated[str | None, typer.Option("--init-adapter", help=translate("cli.train.init_adapter"))]
ChatTemplate = Annotated[str | None, typer.Option("--chat-template", help=translate("cli.train.chat_template"))]
System = Annotated[str | None, typer.Option("--system", help=translate("cli.train.system"))]
DropOverlong = Annotated[bool, typer.Option("--drop-overlong", help=translate("cli.train.drop_overlong"))]
Format = Annotated[str | None, typer.Option("--format", help=translate("cli.train.format"))]
Columns = Annotated[list[str] | None, typer.Option("--map", help=translate("cli.train.map"), metavar="FIELD=COLUMN")]
Encoding = Annotated[str | None, typer.Option("--encoding", help=translate("cli.train.encoding"))]
Replay = Annotated[
    str | None,
    typer.Option("--replay", metavar="FILE|JOB", help=translate("cli.train.replay"), autocompletion=dataset_words),
]
ReplayShare = Annotated[float | None, typer.Option("--replay-share", help=translate("cli.train.replay_share"))]
Json = Annotated[bool, typer.Option("--json", help=translate("cli.train.json"))]


def replay_of(source: str | None, share: float | None) -> ReplayWish | None:
    """Return which earlier data to mix in; raises ConfigError(replay_missing) for a share of nothing."""
    if source is None:
        if share is not None:
            raise ConfigError("replay_missing")
        return None
    return ReplayWish(source) if share is None else ReplayWish(source, share)


def overrides(words: Sequence[str] | None, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of `--set` with those that have an option of their own.

    Raises:
        ConfigError: `not_key_value`, `setting_twice`.
    """
    settings = settings_of(words)
    own = {name: value for name, value in given.items() if value is not None}
    twice = next((name for name in own if name in settings), None)
    if twice is not None:
        raise ConfigError("setting_twice", option="--set", name=twice)
    return {**settings, **own}
