"""Add other wordings of the questions to a data file: write a file to fill in, and take in what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack

from llmlora.core.errors import ConfigError
from llmlora.core.free_place import free_place
from llmlora.core.locale import shell_word
from llmlora.core.next_run import read_words
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.reword import merge_rewordings, write_rewordings
from llmlora.services.demo import BASE_MODEL

PER_QUESTION = 2


class RewordChoices(TypedDict, total=False):
    """What to write; without any, the file to fill in."""

    filled: str | Path | None  # the file that was filled in
    per_question: int  # empty cells for each question
    model: str  # the base model in the command that comes next
    overwrite: bool  # replace an existing output file


def reword_dataset(
    path: str | Path,
    output: str | Path,
    *,
    format: str | None = None,  # noqa: A002 - the name of the option
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    **choices: Unpack[RewordChoices],
) -> dict[str, Any]:
    """Write the file to fill in, or with `filled` the data with the wordings in it; return what was written.

    `choices`: filled, per_question, model, overwrite. The file to fill in is CSV or JSON Lines, by the suffix of
    `output`; the data is JSON Lines. `command` in the document are the words behind `llmlora` that come next; `model`
    stands in them.

    Raises:
        NotFound, ConfigError, Conflict (output exists), DatasetError (unreadable, or a file for other data).
    """
    per_question, model = choices.get("per_question", PER_QUESTION), choices.get("model", BASE_MODEL)
    filled, overwrite = choices.get("filled"), choices.get("overwrite", False)
    if per_question < 1:
        raise ConfigError("bad_per_question", value=per_question)
    read, data, target = read_options(format, columns, encoding), Path(path), Path(output)
    if filled is None:
        document = write_rewordings(data, target, read, per_question, overwrite).to_dict()
        return {**document, "command": _merge_command(data, target, model, read)}
    document = merge_rewordings(data, Path(filled), target, read, overwrite).to_dict()
    words = ["train", "--model", shell_word(model), "--data", shell_word(target)]
    return {**document, "command": " ".join([*words, "--out", shell_word(free_place(Path(f"{target.stem}-job")))])}


def _merge_command(data: Path, filled: Path, model: str, read: ReadOptions) -> str:
    merged = filled.with_name(f"{data.stem}-reworded.jsonl")
    words = ["dataset", "reword", shell_word(data), "--filled", shell_word(filled), "-o", shell_word(merged)]
    return " ".join([*words, "--model", shell_word(model), *read_words(read)])
