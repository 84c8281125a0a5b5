"""Add other wordings of the questions to a data file: write a file to fill in, and take in what was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict, Unpack

from llmlora.core.assets import BASE_MODEL
from llmlora.core.errors import ConfigError
from llmlora.core.free_place import free_place
from llmlora.core.job import DataSource, read_job
from llmlora.core.locale import shell_word
from llmlora.core.next_run import read_words, train_command
from llmlora.core.way_back import way_to_learn_more
from llmlora.data.read import ReadOptions, read_options
from llmlora.data.reword import merge_rewordings, write_rewordings

PER_QUESTION = 2


class RewordChoices(TypedDict, total=False):
    """What to write; without any, the file to fill in."""

    filled: str | Path | None  # the file that was filled in
    per_question: int  # empty cells for each question
    job: str | Path | None  # the job folder whose training is repeated by the command that comes next
    model: str | None  # the base model in that command; without one the job's, or the bundled model
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

    `choices`: filled, per_question, job, model, overwrite. The file to fill in is CSV or JSON Lines, by the suffix of
    `output`; the data is JSON Lines. `command` in the document are the words behind `llmlora` that come next; with a
    `job` they train as it was trained, on the new data, but for settings that held it back: more wordings are more to
    learn, so these return to what is recommended, and `returned` names them. `eval_data_left_out` is the job's held-out
    file when that is read in a way of its own, which the new data is not.

    Raises:
        NotFound, ConfigError, Conflict (output exists), DatasetError (unreadable, or a file for other data).
    """
    per_question, filled = choices.get("per_question", PER_QUESTION), choices.get("filled")
    if per_question < 1:
        raise ConfigError("bad_per_question", value=per_question)
    read, data, target = read_options(format, columns, encoding), Path(path), Path(output)
    overwrite, again = choices.get("overwrite", False), _Again(choices.get("job"), choices.get("model"))
    if filled is None:
        document = write_rewordings(data, target, read, per_question, overwrite).to_dict()
        return {**document, "command": _merge_command(data, target, again, read)}
    document = merge_rewordings(data, Path(filled), target, read, overwrite).to_dict()
    place = shell_word(free_place(Path(f"{target.stem}-job")))
    command = f"{again.train_command(target)} --out {place}"
    return {**document, "command": command, "returned": again.returned, "eval_data_left_out": again.eval_data_left_out}


class _Again:
    """The training that comes next: as that of a job without what held it back, or a plain one."""

    def __init__(self, folder: str | Path | None, model: str | None) -> None:
        self._folder, self._model = folder, model
        self._job = None if folder is None else read_job(Path(folder))

    @property
    def returned(self) -> str | None:
        """The settings that go back to what is recommended, as `name value → value, …`."""
        return None if self._job is None else way_to_learn_more(self._job).words or None

    @property
    def eval_data_left_out(self) -> str | None:
        """The job's held-out file, when options for reading it were given: they would be taken for both files."""
        job = self._job
        return None if job is None or job.eval_data is None or not read_words(job.data) else job.eval_data.path

    def words(self) -> list[str]:
        """Return the options that name this training to `dataset reword`."""
        job = [] if self._folder is None else ["--job", shell_word(self._folder)]
        model = self._model or (None if job else BASE_MODEL)
        return job if model is None else [*job, "--model", shell_word(model)]

    def train_command(self, data: Path) -> str:
        """Return the words behind `llmlora` that train on a file of messages."""
        if self._job is None:
            return f"train --model {shell_word(self._model or BASE_MODEL)} --data {shell_word(data)}"
        plain = DataSource(path=str(data), sha256="", format=None, columns={}, encoding=None)
        other: dict[str, Any] = {"data": plain}
        if self.eval_data_left_out is not None:
            other["eval_data"] = None
        if self._model is not None:
            other |= {"base_model": self._model, "base_dir": self._model, "base_kind": None}
        way = way_to_learn_more(self._job)
        return train_command(self._job.model_copy(update=other), way.names, **way.changes)


def _merge_command(data: Path, filled: Path, again: _Again, read: ReadOptions) -> str:
    merged = filled.with_name(f"{data.stem}-reworded.jsonl")
    words = ["dataset", "reword", shell_word(data), "--filled", shell_word(filled), "-o", shell_word(merged)]
    return " ".join([*words, *again.words(), *read_words(read)])
