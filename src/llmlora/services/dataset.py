"""What a user does with a data file: check it, and convert it to the canonical form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack

from llmlora.core.errors import ConfigError
from llmlora.data import convert, validate
from llmlora.data.container import require_file
from llmlora.data.read import read_options
from llmlora.services.follow import OnEvent
from llmlora.services.preview import check_with_model, find_overlong


class LengthChoices(TypedDict, total=False):
    """What a check counts in tokens."""

    model: str | None  # the base model whose tokens count
    max_length: int | None  # tokens per row; without it the model's own limit
    drop_overlong: bool  # leave longer rows out


class ConversionChoices(convert.ConvertChoices, LengthChoices, total=False):
    """What a conversion changes on the way, and which rows it leaves out for their length in tokens."""


def check_dataset(
    path: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the option
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    eval_data: str | Path | None = None,
    on_event: OnEvent | None = None,
    **lengths: Unpack[LengthChoices],
) -> dict[str, Any]:
    """Check a data file and return the document of `dataset check --json`; `ok` tells that it can be trained on.

    `format`, `columns` (field -> column) and `encoding` say what else would be detected.
    `lengths`: model, max_length, drop_overlong. With `model` (a base model) lengths in tokens and unknown characters
    are checked too, in a worker process. `max_length` needs `model`; without it the model's own limit counts.
    `drop_overlong` leaves longer rows out.

    Raises:
        NotFound: no such file or model. ConfigError: bad options. Problems of the data are in the document.
    """
    read = read_options(format, columns, encoding)
    for file in (path, eval_data):
        if file is not None:
            require_file(Path(file))
    model = lengths.get("model")
    max_length, drop_overlong = lengths.get("max_length"), lengths.get("drop_overlong", False)
    _check_lengths(model, max_length, drop_overlong)
    eval_path = Path(eval_data) if eval_data is not None else None
    if model is not None:
        return check_with_model(
            Path(path),
            model,
            read,
            eval_path=eval_path,
            max_length=max_length,
            drop_overlong=drop_overlong,
            on_event=on_event,
        )
    return validate.check_dataset(Path(path), read, eval_path=eval_path).to_dict()


def convert_dataset(
    path: str | Path,
    output: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the option
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    on_event: OnEvent | None = None,
    **choices: Unpack[ConversionChoices],
) -> dict[str, Any]:
    """Write a data file again as canonical JSON Lines (or CSV) and return what was written and left out.

    `choices`: drop_invalid, deduplicate, sample, split, seed, overwrite, keep, raw. With drop_overlong, model and
    perhaps max_length the examples are left out that `train` with drop_overlong leaves out; a worker process counts.

    Raises:
        NotFound, ConfigError, Conflict (output exists), DatasetError (unreadable, or rows with errors).
    """
    read = read_options(format, columns, encoding)
    chosen: dict[str, Any] = dict(choices)
    lengths = {name: chosen.pop(name, None) for name in LengthChoices.__annotations__}
    _check_lengths(**lengths)
    overlong = None
    if lengths["drop_overlong"]:
        convert.check_output(Path(path), Path(output), **chosen)  # before a worker reads every row
        counting = {"max_length": lengths["max_length"], "keeps_chosen": bool(chosen.get("keep")), "on_event": on_event}
        overlong = find_overlong(Path(path), str(lengths["model"]), read, **counting)
    elif lengths["model"] is not None:
        raise ConfigError("model_needs_drop_overlong")
    return convert.convert_dataset(Path(path), Path(output), read, overlong, **chosen).to_dict()


def _check_lengths(model: str | None, max_length: int | None, drop_overlong: bool | None) -> None:
    if model is None and max_length is not None:
        raise ConfigError("max_length_needs_model")
    if model is None and drop_overlong:
        raise ConfigError("drop_overlong_needs_model")
