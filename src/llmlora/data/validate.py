"""Check a data file: everything that is wrong or worth knowing, in one pass, with the exact place of each finding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example
from llmlora.data.duplicates import HashTable, NearDuplicates, Pair, row_hashes
from llmlora.data.formats import RowReader
from llmlora.data.problems import (
    OVERLONG,
    SHOWN_PER_CODE,
    Problem,
    ProblemLog,
    all_overlong,
    error,
    from_exception,
    warning,
)
from llmlora.data.quality import question_and_answer, row_warnings
from llmlora.data.read import KEPT_OUT, ReadOptions, Source, read_rows, row_reader
from llmlora.data.stats import Lengths, RowStats


class RowTokens(NamedTuple):
    """What a model makes of a row.

    `lengths` are the tokens of its training rows, `num_text` and `num_unknown` those of the texts alone;
    `refusal` says why training would refuse the row, or leave it out; `limit` is what the model takes at most.
    """

    lengths: tuple[int, ...]
    num_text: int
    num_unknown: int
    refusal: Problem | None = None
    limit: int | None = None

    @property
    def num_tokens(self) -> int:
        """How long its longest training row is."""
        return max(self.lengths, default=0)


CountTokens = Callable[[Example], RowTokens]
UNKNOWN_WARNS = 0.01
UNKNOWN_STOPS = 0.2
EVAL_ROWS = 1_000_000
ROLE_FIELDS = {"user": "instruction", "assistant": "output"}  # where the turns of an instruction row come from

__all__ = ["SHOWN_PER_CODE", "CheckReport", "CountTokens", "Problem", "RowTokens", "check_dataset"]


@dataclass(frozen=True)
class CheckReport:
    """The result of a check; `ok` tells that the file can be trained on, warnings or not.

    `num_examples` counts the rows that can be trained on; `problems` holds the first 20 findings of each code and
    `counts` the number of all; `columns` says which column was read as which field and which were not used.
    """

    ok: bool
    format: str | None
    encoding: str | None
    num_examples: int
    problems: tuple[Problem, ...]
    counts: dict[str, int] = field(default_factory=dict)
    stats: dict[str, Any] = field(default_factory=dict)
    columns: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the document that `dataset check --json` prints."""
        return {
            "ok": self.ok,
            "format": self.format,
            "encoding": self.encoding,
            "num_examples": self.num_examples,
            "problems": [problem.to_dict() for problem in self.problems],
            "counts": self.counts,
            "stats": self.stats,
            "columns": self.columns,
        }

    def stored(self) -> dict[str, Any]:
        """Return the document with its problems as codes: what a worker hands on, worded where it is shown."""
        return {**self.to_dict(), "problems": [problem.stored() for problem in self.problems]}

    @classmethod
    def from_stored(cls, document: dict[str, Any]) -> CheckReport:
        """Return the report that a worker has handed on."""
        return cls(**{**document, "problems": tuple(Problem(**problem) for problem in document["problems"])})


def check_dataset(
    path: Path,
    options: ReadOptions | None = None,
    eval_path: Path | None = None,
    max_length: int | None = None,
    count_tokens: CountTokens | None = None,
    on_problem: Callable[[Problem], object] = lambda _: None,
) -> CheckReport:
    """Read a whole data file and report all that was found; the file is never changed.

    `count_tokens` tells what the chosen model makes of a row; without it lengths in tokens, `max_length`, unknown
    tokens and what its chat template refuses are not checked. `on_problem` gets every finding, in the order in which
    they are found; the report holds the first of each code.

    Raises:
        NotFound: no such file. ConfigError: bad options. Every other failure is a finding.
    """
    return _Check(Path(path), options or ReadOptions(), max_length, count_tokens, ProblemLog(on_problem)).run(eval_path)


class _Check:
    """One pass over a file."""

    def __init__(
        self,
        path: Path,
        options: ReadOptions,
        max_length: int | None,
        count_tokens: CountTokens | None,
        log: ProblemLog,
    ) -> None:
        self.path = path
        self.options = options
        self.max_length = max_length
        self.count_tokens = count_tokens
        self.log = log
        self.stats = RowStats()
        self.table = HashTable()
        self.near = NearDuplicates()
        self.near_found: dict[int, Pair] = {}
        self.tokens = Lengths()
        self.num_unknown = 0
        self.num_text_tokens = 0
        self.num_rows = 0
        self.num_over = 0
        self.left_out: list[int] = []
        self.limit: int | None = None
        self.eval_questions: dict[int, int] = {}
        self.source: Source | None = None
        self.reader: RowReader | None = None
        self.pair_counts = {"duplicate": 0, "near_duplicate": 0, "contradiction": 0}

    def run(self, eval_path: Path | None) -> CheckReport:
        try:
            if eval_path is not None:
                self._read_eval(eval_path)
            self.source = Source(self.path, self.options)
            self._note_source(self.source)
            self._read_rows(self.source)
        except DatasetError as failure:
            self.log.add(from_exception(failure))
        try:
            self._whole_file()
        finally:
            self.table.close()
        return self._report()

    def _read_eval(self, eval_path: Path) -> None:
        """Remember the questions of the evaluation rows; its own problems are found by its own check."""
        try:
            for example in valid_examples(eval_path, self.options):
                if len(self.eval_questions) >= EVAL_ROWS:
                    self.log.add(warning("leakage_sampled", limit=EVAL_ROWS))
                    return
                question = row_hashes(*question_and_answer(example))[0].question
                self.eval_questions.setdefault(question, example.line)
        except DatasetError as failure:
            self.log.add(warning("eval_unreadable", path=str(eval_path), error=failure.to_dict()))

    def _note_source(self, source: Source) -> None:
        encoding = source.encoding
        if encoding.preview:
            line, text = encoding.preview[0]
            preview = [{"line": number, "text": shown} for number, shown in encoding.preview]
            self.log.add(warning("other_encoding", line, encoding=encoding.name, text=text, preview=preview))

    def _read_rows(self, source: Source) -> None:
        self.reader = row_reader(source)
        for item in source.rows():
            self.num_rows += 1
            if isinstance(item, Problem):
                self.log.add(item)
                continue
            example, problems = self.reader.read(item)
            for problem in problems:
                self.log.add(problem)
            if example is not None:
                self._row(example)
        self.reader.finish()

    def _row(self, example: Example) -> None:
        if self.count_tokens is not None and not self._can_learn(example, self.count_tokens):
            return
        self.stats.add(example)
        for problem in row_warnings(example):
            self.log.add(replace(problem, field=self._column_of(problem.field)))
        hashes, text = row_hashes(*question_and_answer(example))
        self.table.add(hashes, example.line, example.row)
        pair = self.near.add(text, example.line, example.row)
        if pair is not None:
            self.near_found[pair.line] = pair
        if hashes.question in self.eval_questions:
            eval_line = self.eval_questions[hashes.question]
            self.log.add(warning("leakage", example.line, example.row, eval_line=eval_line))

    def _column_of(self, name: str | None) -> str | None:
        """Return the column that a text came from; `name` is a role, or a field of a completion or text row."""
        columns = self.reader.mapping.columns if self.reader and self.reader.mapping else {}
        if "messages" in columns:
            return columns["messages"]
        return columns.get(ROLE_FIELDS.get(name or "", name or ""), name)

    def _can_learn(self, example: Example, count_tokens: CountTokens) -> bool:
        """Count the tokens of a row and tell whether training would take it."""
        counted = count_tokens(example)
        self.num_text_tokens += counted.num_text
        self.num_unknown += counted.num_unknown
        for length in counted.lengths:
            self.tokens.add(length)
        if counted.refusal is not None:
            self.log.add(counted.refusal)
            if counted.refusal.code == OVERLONG:
                self.left_out.append(counted.num_tokens)
                self.limit = counted.limit
            return False
        if self.max_length is not None and counted.num_tokens > self.max_length:
            self.num_over += 1
            place, limit = (example.line, example.row), counted.limit
            is_hopeless = limit is not None and counted.num_tokens > limit
            code = "over_model_length" if is_hopeless else "over_max_length"
            size = counted.num_tokens
            self.log.add(warning(code, *place, num_tokens=size, max_length=self.max_length, limit=limit))
        return True

    def _whole_file(self) -> None:
        for pair in self.table.pairs():
            self.near_found.pop(pair.line, None)
            self._add_pair(pair)
        for pair in self.near_found.values():
            self._add_pair(pair)
        if self.near.is_sampled:
            self.log.add(warning("near_duplicates_sampled", looked_at=self.near.num_rows, count=self.stats.num_rows))
        for problem in self.stats.warnings():
            self.log.add(problem)
        unused = self._columns()["ignored"]
        if unused:
            names = ", ".join(unused[:SHOWN_PER_CODE]) + (", …" if len(unused) > SHOWN_PER_CODE else "")
            self.log.add(warning("unused_columns", count=len(unused), names=names))
        if self.source is not None and self.source.is_in_paragraphs and self.stats.num_rows:
            self.log.add(warning("text_paragraphs", count=self.stats.num_rows))
        if self.num_text_tokens:
            self._unknown_share()
        if not self.stats.num_rows and not self.log.num_errors:
            self.log.add(self._nothing_left())
        if self.num_over == self.stats.num_rows:
            self.log.note_none_shorter()
        if not self.stats.num_rows:
            self.log.note_none_good()

    def _nothing_left(self) -> Problem:
        if self.left_out and self.max_length is not None:
            return all_overlong(self.left_out, self.max_length, self.limit)
        num_kept_out = self.log.counts[KEPT_OUT]
        return error("all_rows_kept_out", count=num_kept_out) if num_kept_out else error("no_records")

    def _add_pair(self, pair: Pair) -> None:
        self.pair_counts[pair.kind] += 1
        self.log.add(warning(pair.kind, pair.line, pair.row, first_line=pair.first_line))

    def _unknown_share(self) -> None:
        share = self.num_unknown / self.num_text_tokens
        percent = f"{100 * share:.1f}"
        if share > UNKNOWN_STOPS:
            self.log.add(error("unknown_token_share", percent=percent))
        elif share > UNKNOWN_WARNS:
            self.log.add(warning("unknown_tokens", percent=percent))

    def _report(self) -> CheckReport:
        source, reader = self.source, self.reader
        stats = {**self.stats.to_dict(), "num_rows": self.num_rows, "num_examples": self.stats.num_rows}
        stats |= {f"num_{kind}s": count for kind, count in self.pair_counts.items()}
        if source is not None:
            stats |= {
                "num_bytes": source.num_bytes,
                "container": source.container.kind,
                "delimiter": source.container.delimiter,
                "has_bom": source.encoding.has_bom,
                "list_key": source.list_key,
            }
        if self.tokens.count:
            stats["tokens"] = {**self.tokens.to_dict(), "total": self.tokens.total, "num_unknown": self.num_unknown}
            stats["histograms"]["tokens"] = self.tokens.histogram
            stats["max_length"], stats["num_over_max_length"] = self.max_length, self.num_over
        return CheckReport(
            ok=not self.log.num_errors,
            format=reader.format if reader else None,
            encoding=source.encoding.name if source else None,
            num_examples=self.stats.num_rows,
            problems=self.log.problems(),
            counts=dict(sorted(self.log.counts.items())),
            stats=stats,
            columns=self._columns(),
        )

    def _columns(self) -> dict[str, Any]:
        if self.reader is None or self.reader.mapping is None:
            return {"mapped": {}, "ignored": []}
        others = self.source.other_members if self.source else ()
        return {"mapped": dict(self.reader.mapping.columns), "ignored": [*self.reader.ignored, *others]}


def valid_examples(path: Path, options: ReadOptions) -> Iterator[Example]:
    """Yield the rows that can be trained on and pass over the others.

    Raises:
        DatasetError: the file, or the rest of it, cannot be read.
    """
    source = Source(path, options)
    return (item for item in read_rows(source, row_reader(source)) if isinstance(item, Example))
