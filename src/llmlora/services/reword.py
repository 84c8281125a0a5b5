"""Add other wordings of the questions to a data file: write a file to fill in, and take in what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.core.errors import ConfigError
from llmlora.core.locale import shell_word
from llmlora.core.next_run import read_words
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.reword import merge_rewordings, write_rewordings

PER_QUESTION = 2


def reword_dataset(
    path: str | Path,
    output: str | Path,
    *,
    filled: str | Path | None = None,
    per_question: int = PER_QUESTION,
    model: str = "nano",
    format: str | None = None,  # noqa: A002 - the name of the option
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
    overwrite: bool = False,
) -> dict[str, Any]:
    """Write the file to fill in, or with `filled` the data with the wordings in it; return what was written.

    The file to fill in is CSV or JSON Lines, by the suffix of `output`; the data is JSON Lines. `next` in the document
    is the command that comes next; `model` stands in it.

    Raises:
        NotFound, ConfigError, Conflict (output exists), DatasetError (unreadable, or a file for other data).
    """
    if per_question < 1:
        raise ConfigError("bad_per_question", value=per_question)
    read, data, target = read_options(format, columns, encoding), Path(path), Path(output)
    if filled is None:
        document = write_rewordings(data, target, read, per_question, overwrite).to_dict()
        return {**document, "next": _merge_command(data, target, model, read)}
    document = merge_rewordings(data, Path(filled), target, read, overwrite).to_dict()
    return {**document, "next": f"llmlora train --model {shell_word(model)} --data {shell_word(target)}"}


def _merge_command(data: Path, filled: Path, model: str, read: ReadOptions) -> str:
    merged = filled.with_name(f"{data.stem}-reworded.jsonl")
    words = ["llmlora dataset reword", shell_word(data), "--filled", shell_word(filled), "-o", shell_word(merged)]
    return " ".join([*words, "--model", shell_word(model), *read_words(read)])
