"""Write a data file again in the canonical form; the original is only read, and every row left out is named."""

from __future__ import annotations

import csv
import heapq
import json
from array import array
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TextIO, TypedDict, Unpack

from llmlora.core.errors import ConfigError, Conflict, DatasetError
from llmlora.core.examples import Example
from llmlora.core.locale import translate
from llmlora.core.publish import replacing_together
from llmlora.core.temporary import claimed
from llmlora.data.container import require_file
from llmlora.data.problems import OVERLONG, Problem, all_overlong, warning
from llmlora.data.raw_text import HEADING_WITHOUT_TEXT
from llmlora.data.read import KEPT_OUT, ReadOptions, Source, read_rows, row_reader
from llmlora.data.split import content_key, held_out_keys, split_hash

LISTED_ROWS = 1000
LEFT_OUT, TRAIN, HELD_OUT = 0, 1, 2
LEFT_OUT_CODES = (KEPT_OUT, "row_undecided", HEADING_WITHOUT_TEXT)
KEEP = ("chosen",)
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class ConvertChoices(TypedDict, total=False):
    """What to change on the way; nothing unless asked for."""

    drop_invalid: bool  # leave rows with errors out
    deduplicate: bool  # of equal rows keep the first
    sample: int | None  # take so many rows
    split: float | None  # share of rows written to OUT.eval.jsonl
    seed: int  # of sample and split
    overwrite: bool  # replace existing output files
    keep: str | None  # "chosen": of pairs of answers (preference data) the better one
    raw: bool  # CSV cells that look like formulas stay as they are


@dataclass(frozen=True)
class Overlong:
    """Rows to leave out because a model takes them only cut: row (1-based) -> its tokens."""

    max_length: int
    limit: int | None  # what the model takes at most
    num_tokens: Mapping[int, int]

    def problem(self, example: Example) -> Problem | None:
        """Return why an example is left out, None for one that fits."""
        size = self.num_tokens.get(example.row)
        if size is None:
            return None
        return warning(OVERLONG, example.line, example.row, num_tokens=size, max_length=self.max_length)


@dataclass(frozen=True)
class ConvertReport:
    """What was written and what was left out; `dropped` lists the first 1,000 rows left out, the counts cover all."""

    output: Path
    eval_output: Path | None
    encoding: str
    ignored_columns: tuple[str, ...]
    num_read: int
    num_written: int
    num_eval: int
    num_invalid: int
    num_duplicates: int
    num_sampled_out: int
    num_kept_out: int = 0
    num_overlong: int = 0
    dropped: tuple[dict[str, Any], ...] = field(default_factory=tuple)
    other_eval: Path | None = None  # held-out rows that stand beside the output and were not written with it

    def to_dict(self) -> dict[str, Any]:
        """Return the document that `dataset convert --json` prints."""
        paths = {
            "output": str(self.output),
            "eval_output": str(self.eval_output) if self.eval_output else None,
            "other_eval": str(self.other_eval) if self.other_eval else None,
        }
        names = (
            "num_read",
            "num_written",
            "num_eval",
            "num_invalid",
            "num_duplicates",
            "num_sampled_out",
            "num_kept_out",
            "num_overlong",
        )
        read = {"encoding": self.encoding, "ignored_columns": list(self.ignored_columns)}
        return {**paths, **read, **{name: getattr(self, name) for name in names}, "dropped": list(self.dropped)}


def check_output(path: Path, output: Path, **choices: Unpack[ConvertChoices]) -> None:
    """Check what can be checked without reading a row.

    Raises:
        NotFound, ConfigError (also an output that cannot be written), Conflict (output exists, or is the input).
    """
    require_file(path)
    with writable(output):
        _check_targets(path, output, choices)


def convert_dataset(
    path: Path,
    output: Path,
    options: ReadOptions | None = None,
    overlong: Overlong | None = None,
    **choices: Unpack[ConvertChoices],
) -> ConvertReport:
    """Write the rows of a data file as canonical JSON Lines, or as CSV when `output` ends in `.csv`.

    Instruction rows become `messages`. The output appears whole or not at all. `split` also writes the held-out rows
    beside it, with `.eval` before the suffix; equal rows never fall on both sides. `overlong` are left out first.

    Raises:
        NotFound, ConfigError (also an output that cannot be written), Conflict (output exists, or is the input).
        DatasetError: unreadable, rows with errors without `drop_invalid`, or no row left.
    """
    path, output = Path(path), Path(output)
    check_output(path, output, **choices)
    source = Source(path, options or ReadOptions())
    plan = RowPlan(source, choices, overlong)
    if overlong is not None and plan.num_overlong and not plan.num_written:
        raise all_overlong(overlong.num_tokens.values(), overlong.max_length, overlong.limit).to_error()
    if not plan.num_written:
        raise DatasetError("no_rows_left", path=str(path), count=plan.num_read)
    eval_output = eval_path(output) if choices.get("split") else None
    targets = [output] if eval_output is None else [output, eval_output]
    with writable(output), ExitStack() as stack:
        output.parent.mkdir(parents=True, exist_ok=True)
        for target in targets:
            stack.enter_context(claimed(target))
        _check_targets(path, output, choices)  # another process may have written them in the meantime
        exclusive = not choices.get("overwrite")
        temporaries = stack.enter_context(replacing_together(targets, exclusive=exclusive))
        writers = [_open_writer(stack, temporary, output.suffix, choices) for temporary in temporaries]
        rows = read_rows(source, row_reader(source, bool(choices.get("keep"))))
        for number, example in enumerate(rows):
            if isinstance(example, Example) and plan.marks[number] != LEFT_OUT:
                writers[plan.marks[number] - 1].write(example)
    num_eval = plan.marks.count(HELD_OUT)
    return ConvertReport(
        output=output,
        eval_output=eval_output,
        encoding=source.encoding.name,
        ignored_columns=plan.ignored_columns,
        num_read=plan.num_read,
        num_written=plan.num_written - num_eval,
        num_eval=num_eval,
        num_invalid=plan.num_invalid,
        num_duplicates=plan.num_duplicates,
        num_sampled_out=plan.num_sampled_out,
        num_kept_out=plan.num_kept_out,
        num_overlong=plan.num_overlong,
        dropped=tuple(plan.dropped),
        other_eval=eval_path(output) if eval_output is None and eval_path(output).exists() else None,
    )


def check_suffix(output: Path, suffixes: tuple[str, ...]) -> None:
    """Raise ConfigError for an output whose name does not end as one of the formats that can be written."""
    if output.suffix.lower() not in suffixes:
        raise ConfigError("output_suffix", suffix=output.suffix or output.name, known=", ".join(suffixes))


@contextmanager
def writable(output: Path) -> Iterator[None]:
    """Tell what keeps an output file from being written as the error that names it."""
    try:
        yield
    except OSError as failure:
        if isinstance(failure, FileExistsError) and output.parent.is_dir():  # made by another program at this moment
            raise Conflict("output_exists", path=str(failure.filename2 or failure.filename)) from failure
        raise ConfigError("output_unwritable", path=str(output), detail=failure.strerror or str(failure)) from failure


def eval_path(output: Path) -> Path:
    """Return where the held-out rows go: `data.jsonl` -> `data.eval.jsonl`."""
    return output.with_name(f"{output.stem}.eval{output.suffix}")


def _check_targets(path: Path, output: Path, choices: ConvertChoices) -> None:
    split, sample, keep = choices.get("split"), choices.get("sample"), choices.get("keep")
    if keep is not None and keep not in KEEP:
        raise ConfigError("unknown_keep", value=keep, known=", ".join(KEEP))
    check_suffix(output, (".jsonl", ".csv"))
    if split is not None and not 0 < split < 1:
        raise ConfigError("invalid_fraction", value=split)
    if sample is not None and sample < 1:
        raise ConfigError("invalid_sample", value=sample)
    for target in (output, eval_path(output)) if split else (output,):
        if target.exists() and target.samefile(path):
            raise Conflict("output_is_input", path=str(target))
        if target.exists() and not (choices.get("overwrite") and target.is_file()):
            raise Conflict("output_exists", path=str(target))


class RowPlan:
    """Which row goes where, decided before anything is written."""

    def __init__(self, source: Source, choices: ConvertChoices, overlong: Overlong | None = None) -> None:
        self.marks = bytearray()
        self.num_invalid = 0
        self.num_duplicates = 0
        self.num_sampled_out = 0
        self.num_kept_out = 0
        self.num_overlong = 0
        self.dropped: list[dict[str, Any]] = []
        self._hashes = array("Q")
        self._seed = choices.get("seed", 0)
        reader = row_reader(source, bool(choices.get("keep")))
        items = read_rows(source, reader)
        if overlong is not None:
            items = self._fitting(items, overlong)
        first = self._look_at(items, bool(choices.get("deduplicate")))
        self.ignored_columns = (*reader.ignored, *source.other_members)
        if first is not None and not choices.get("drop_invalid"):
            is_none_good = not self.num_written
            first = first.of_none_good() if is_none_good else first
            raise DatasetError(
                "dataset_has_errors",
                path=str(source.path),
                count=self.num_invalid,
                line=first.line,
                first=first.message,
                first_hint=first.hint,
                **({"is_none_good": True} if is_none_good else {}),
            )
        if choices.get("sample"):
            self._sample(int(choices["sample"] or 0))
        if choices.get("split"):
            self._split(float(choices["split"] or 0))

    @property
    def num_read(self) -> int:
        return len(self.marks)

    @property
    def num_written(self) -> int:
        return len(self.marks) - self.marks.count(LEFT_OUT)

    def _fitting(self, items: Iterator[Example | Problem], overlong: Overlong) -> Iterator[Example | Problem]:
        """Put in the place of each row that is too long what is wrong with it."""
        for item in items:
            problem = overlong.problem(item) if isinstance(item, Example) else None
            self.num_overlong += problem is not None
            yield problem or item

    def _look_at(self, items: Iterator[Example | Problem], deduplicate: bool) -> Problem | None:
        first: Problem | None = None
        seen: set[int] = set()
        for item in items:
            value = 0
            if isinstance(item, Problem):
                self._drop(item.line, item.row, item.code, item.message)
                self.num_kept_out += item.code in LEFT_OUT_CODES
                if item.level == "error":
                    self.num_invalid += 1
                    first = first or item
            else:
                value = content_key(item)
            is_copy = deduplicate and value in seen
            if deduplicate and value:
                seen.add(value)
            if is_copy and isinstance(item, Example):
                self.num_duplicates += 1
                self._drop(item.line, item.row, "duplicate", translate("data.repeated"))
            self.marks.append(TRAIN if isinstance(item, Example) and not is_copy else LEFT_OUT)
            self._hashes.append(value)
        return first

    def _drop(self, line: int | None, row: int | None, code: str, message: str) -> None:
        if len(self.dropped) < LISTED_ROWS:
            self.dropped.append({"line": line, "row": row, "code": code, "message": message})

    def _kept(self) -> Iterator[int]:
        return (number for number, mark in enumerate(self.marks) if mark != LEFT_OUT)

    def _sample(self, size: int) -> None:
        keys = ((split_hash(f"{self._hashes[number]} {number}", self._seed), number) for number in self._kept())
        chosen = {number for _, number in heapq.nsmallest(size, keys)}
        for number in list(self._kept()):
            if number not in chosen:
                self.marks[number] = LEFT_OUT
                self.num_sampled_out += 1

    def _split(self, fraction: float) -> None:
        held = held_out_keys({self._hashes[number] for number in self._kept()}, fraction, self._seed)
        for number in list(self._kept()):
            if self._hashes[number] in held:
                self.marks[number] = HELD_OUT


class _Writer(Protocol):
    def write(self, example: Example) -> None: ...


def _open_writer(stack: ExitStack, temporary: Path, suffix: str, choices: ConvertChoices) -> _Writer:
    if suffix.lower() != ".csv":
        return _JsonLines(stack.enter_context(temporary.open("w", encoding="utf-8", newline="\n")))
    # Excel takes a CSV for UTF-8 only when it begins with a byte order mark.
    stream = stack.enter_context(temporary.open("w", encoding="utf-8-sig", newline=""))
    return _Table(stream, bool(choices.get("raw")))


class _JsonLines:
    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, example: Example) -> None:
        self._stream.write(json.dumps(example.to_dict(), ensure_ascii=False) + "\n")


class _Table:
    def __init__(self, stream: TextIO, raw: bool) -> None:
        self._writer = csv.writer(stream, lineterminator="\r\n")
        self._raw = raw
        self._has_header = False

    def write(self, example: Example) -> None:
        cells = table_cells(example)
        if not self._has_header:
            self._writer.writerow(cells)
            self._has_header = True
        values = list(cells.values())  # all rows of a file have one format, and so the same columns
        self._writer.writerow(values if self._raw else [without_formula(value) for value in values])


def table_cells(example: Example) -> dict[str, str]:
    """Return the columns of a row in a table.

    Raises:
        DatasetError: a conversation of several turns, or with tools or reasoning, which has no columns.
    """
    if not example.messages:
        return {name: str(value) for name, value in example.to_dict().items()}
    if example.tools or any(message.to_dict().keys() - {"role", "content"} for message in example.messages):
        raise DatasetError("not_tabular", line=example.line, row=example.row)
    roles = [message.role for message in example.messages]
    contents = [message.content for message in example.messages]
    if roles == ["user", "assistant"]:
        return {"instruction": contents[0], "output": contents[1], "system": ""}
    if roles == ["system", "user", "assistant"]:
        return {"instruction": contents[1], "output": contents[2], "system": contents[0]}
    raise DatasetError("not_tabular", line=example.line, row=example.row)


def without_formula(cell: str) -> str:
    """Return a cell that no spreadsheet program runs as a formula."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
