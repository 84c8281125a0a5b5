"""Other wordings of the questions in a data file: a file to fill in, and the data with what was filled in.

A model that saw each question in one wording often knows the answer in that wording alone.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from llmlora.core.errors import Conflict, DatasetError
from llmlora.core.examples import Example
from llmlora.core.publish import replacing
from llmlora.core.temporary import claimed
from llmlora.data.asked import question_of, reworded
from llmlora.data.container import require_file
from llmlora.data.convert import check_suffix, without_formula, writable
from llmlora.data.problems import Problem
from llmlora.data.raw import RawRow
from llmlora.data.read import ReadOptions, Source, iter_examples

COLUMNS = ("row", "question", "rewording", "answer")


@dataclass(frozen=True)
class Written:
    """The file to fill in: `num_cells` wait for a wording; rows without a question of their own are left out."""

    output: str
    num_questions: int
    num_cells: int
    num_without_question: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


@dataclass(frozen=True)
class Merged:
    """The data with the wordings: cells left empty, and wordings that stood there already, were skipped."""

    output: str
    num_rows: int
    num_added: int
    num_empty: int
    num_repeated: int

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def write_rewordings(
    path: Path, output: Path, options: ReadOptions, per_question: int, overwrite: bool = False
) -> Written:
    """Write each question of a data file `per_question` times with an empty cell beside it, as CSV or JSON Lines.

    Raises:
        NotFound, ConfigError (also an output that cannot be written), Conflict (output exists, or is the input).
        DatasetError: unreadable, rows with errors, or no row with a question.
    """
    num_questions = num_without = 0
    with _new_file(path, output, overwrite, (".csv", ".jsonl")) as stream:
        write = _table(stream) if output.suffix.lower() == ".csv" else _lines(stream)
        for example in iter_examples(path, options):
            asked = question_of(example)
            if asked is None:
                num_without += 1
                continue
            num_questions += 1
            for _ in range(per_question):
                write({"row": example.row, "question": asked[0], "rewording": "", "answer": asked[1]})
        if not num_questions:
            raise DatasetError("nothing_to_reword", path=str(path))
    return Written(str(output), num_questions, num_questions * per_question, num_without)


def merge_rewordings(path: Path, filled: Path, output: Path, options: ReadOptions, overwrite: bool = False) -> Merged:
    """Write a data file again as canonical JSON Lines, each row followed by itself in the wordings filled in.

    Raises:
        NotFound, ConfigError, Conflict as above. DatasetError: data or filled-in file unreadable, a file for other
            data (`rewordings_differ`), or nothing filled in.
    """
    wordings, num_empty = _read_filled(filled)
    num_rows = num_added = num_repeated = 0
    with _new_file(path, output, overwrite, (".jsonl",)) as stream:
        write = _lines(stream)
        for example in iter_examples(path, options):
            num_rows += 1
            write(example.to_dict())
            given = wordings.pop(example.row, [])
            for made in _examples(example, given, filled):
                write(made.to_dict())
                num_added += 1
                num_rows += 1
            num_repeated += len(given)
        if wordings:
            raise DatasetError("rewordings_differ", path=str(filled), row=min(wordings))
        if not num_added:
            raise DatasetError("no_rewordings", path=str(filled))
    return Merged(str(output), num_rows, num_added, num_empty, num_repeated - num_added)


def _examples(example: Example, given: list[tuple[str, str]], filled: Path) -> Iterator[Example]:
    """Yield a row in each of the given wordings once; a wording for another question is a wrong file."""
    asked = question_of(example)
    seen = set() if asked is None else {asked[0].strip()}
    for question, wording in given:
        if asked is None or _plain(question) not in (_plain(asked[0]), _plain(without_formula(asked[0]))):
            raise DatasetError("rewordings_differ", path=str(filled), row=example.row)
        if wording not in seen:
            seen.add(wording)
            yield reworded(example, wording)


def _plain(text: str) -> str:
    """Return a text without the difference that a spreadsheet makes to line breaks and spaces."""
    return " ".join(text.split())


def _read_filled(path: Path) -> tuple[dict[int, list[tuple[str, str]]], int]:
    """Return (question, wording) by the row they belong to, and how many cells were left empty."""
    require_file(path)
    wordings: dict[int, list[tuple[str, str]]] = {}
    num_empty = 0
    for raw in Source(path, ReadOptions()).rows():
        if isinstance(raw, Problem):
            raise raw.to_error()
        number, question, wording = _cells(raw, path)
        if wording:
            wordings.setdefault(number, []).append((question, wording))
        else:
            num_empty += 1
    return wordings, num_empty


def _cells(raw: RawRow, path: Path) -> tuple[int, str, str]:
    values = [raw.value.get(name) for name in COLUMNS[:3]]
    number = str(values[0]).strip()
    if not number.isdigit() or not isinstance(values[1], str) or not isinstance(values[2], str | None):
        raise DatasetError("not_rewordings", path=str(path), line=raw.line, columns=", ".join(COLUMNS))
    return int(number), values[1], (values[2] or "").strip()


@contextmanager
def _new_file(path: Path, output: Path, overwrite: bool, suffixes: tuple[str, ...]) -> Iterator[TextIO]:
    """Yield the stream of a new output file, which appears whole or not at all."""
    require_file(path)
    check_suffix(output, suffixes)
    with writable(output):
        if output.exists() and output.samefile(path):
            raise Conflict("output_is_input", path=str(output))
        if output.exists() and not (overwrite and output.is_file()):
            raise Conflict("output_exists", path=str(output))
        output.parent.mkdir(parents=True, exist_ok=True)
        is_table = output.suffix.lower() == ".csv"  # Excel takes a CSV for UTF-8 only when a byte order mark begins it
        encoding = "utf-8-sig" if is_table else "utf-8"
        with (
            claimed(output),
            replacing(output, exclusive=not overwrite) as temporary,
            temporary.open("w", encoding=encoding, newline="") as stream,
        ):
            yield stream


def _table(stream: TextIO) -> Any:
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    return lambda row: writer.writerow([without_formula(str(row[name])) for name in COLUMNS])


def _lines(stream: TextIO) -> Any:
    return lambda row: stream.write(json.dumps(row, ensure_ascii=False) + "\n")
