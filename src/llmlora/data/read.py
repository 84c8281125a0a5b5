"""Read a data file as a stream of examples, whatever its layout, encoding and column names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from llmlora.core.errors import ConfigError, DatasetError, DatasetRowError
from llmlora.core.examples import FORMATS, DatasetFormat, Example
from llmlora.data.container import Container, detect_container, refuse_binary, require_file
from llmlora.data.encoding import Encoding, codec_name, detect_encoding
from llmlora.data.fields import ALL_NAMES, check_columns, columns_named, find_mapping, normalised
from llmlora.data.formats import RowReader
from llmlora.data.header import map_options
from llmlora.data.json_stream import ROW_CHARACTERS, Cursor, Element, WrappedList, list_elements, place_in
from llmlora.data.lines import numbered_lines
from llmlora.data.preference import PAIR_NAMES, find_preference
from llmlora.data.problems import Problem, error, from_exception
from llmlora.data.raw import RawRow
from llmlora.data.raw_text import question_rows
from llmlora.data.strict_json import MAX_DEPTH, JsonError, parse_json
from llmlora.data.table import table_rows
from llmlora.data.turn_parts import is_conversation, is_like_turn

MAX_BYTES = 8 << 30
MAX_ROWS = 50_000_000
LISTED_LINES = 20
KEPT_OUT = "row_kept_out"


@dataclass(frozen=True)
class ReadOptions:
    """How to read a data file; None means find out.

    `columns` maps a field (instruction, output, …) to the column that holds it; `encoding` is a Python codec name.
    """

    format: DatasetFormat | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None
    max_bytes: int = MAX_BYTES
    max_rows: int = MAX_ROWS

    @property
    def given(self) -> bool:
        """Whether anything is asked for that would else be detected."""
        return bool(self.format or self.columns or self.encoding)

    def to_dict(self) -> dict[str, Any]:
        """Return what is asked for as a JSON object, from which `ReadOptions(**object)` makes the options again."""
        return {"format": self.format, "columns": dict(self.columns), "encoding": self.encoding}


def read_options(
    format: str | None = None,  # noqa: A002 - the name of the option
    columns: Mapping[str, str] | None = None,
    encoding: str | None = None,
) -> ReadOptions:
    """Return the options for reading a data file, checked before the file is touched.

    Raises:
        ConfigError: unknown format, field or encoding.
    """
    if format is not None and format not in FORMATS:
        raise ConfigError("unknown_format", name=format, known=", ".join(FORMATS))
    check_columns(columns or {})
    if encoding is not None:
        codec_name(encoding)
    return ReadOptions(format, dict(columns or {}), encoding)


class Source:
    """A data file that was looked at: encoding and layout are known, rows can be read any number of times.

    Raises:
        NotFound: no such file. ConfigError: bad options.
        DatasetError: not a data file, or its encoding is not clear.
    """

    def __init__(self, path: Path, options: ReadOptions) -> None:
        check_columns(options.columns)
        require_file(path)
        self.path = path
        self.options = options
        try:
            self.num_bytes = path.stat().st_size
            if self.num_bytes > options.max_bytes:
                raise DatasetError("file_too_large", num_bytes=self.num_bytes, limit_bytes=options.max_bytes)
            refuse_binary(path)
            self.encoding: Encoding = detect_encoding(path, options.encoding)
            self.container: Container = detect_container(path, self.encoding, options.columns)
        except OSError as failure:
            raise DatasetError("unreadable_file", path=str(path), detail=failure.strerror or "") from failure
        self.list_key: str | None = None
        self.other_members: tuple[str, ...] = ()

    @property
    def is_in_paragraphs(self) -> bool:
        """Tell whether each paragraph is a row: plain text that nobody wants questions and answers of."""
        return self.container.kind == "text" and self.options.format != "instruction"

    def rows(self) -> Iterator[RawRow | Problem]:
        """Yield every row, or what is wrong with it; reading goes on after a bad row where it can.

        Raises:
            DatasetError: the rest of the file cannot be read, or there is no row at all.
        """
        newline = None if self.container.kind == "json" else ""
        count = 0
        with self.path.open(encoding=self.encoding.name, newline=newline) as stream:
            for item in self._rows(stream):
                count += 1
                if (item.row or 0) > self.options.max_rows:
                    raise DatasetError("too_many_rows", line=item.line, limit=self.options.max_rows)
                yield item
        if not count:
            raise DatasetError("no_records")

    def _rows(self, stream: TextIO) -> Iterator[RawRow | Problem]:
        if self.container.kind == "csv":
            return table_rows(stream, self.container.delimiter or ",", self.container.has_header)
        if self.container.kind == "text":
            return paragraphs(stream) if self.is_in_paragraphs else question_rows(stream)
        return self._document(stream) if self.container.kind == "json" else json_lines(stream)

    def _document(self, stream: TextIO) -> Iterator[RawRow | Problem]:
        cursor = Cursor(stream)
        row = 0
        if cursor.peek() == "[":
            for row, element in enumerate(list_elements(cursor), 1):
                yield _document_row(element, row)
        else:
            wrapped = WrappedList(cursor, self._is_of_a_row, self._is_row)
            for row, element in enumerate(wrapped.elements(), 1):
                item = _document_row(element, row)
                if isinstance(item, RawRow) and is_like_turn(item.value):
                    raise _turns_as_rows(wrapped.list_key or "", item)
                yield item
            self.list_key = wrapped.list_key
            if wrapped.list_key is None:
                _refuse_columns(wrapped.members, wrapped.line)
                yield RawRow(1, wrapped.line, wrapped.members)
            else:
                self.other_members = tuple(wrapped.members)
        _expect_end(cursor)

    def _is_of_a_row(self, key: str) -> bool:
        """Tell whether a list under this name belongs to a row, and is no list of rows."""
        is_given = any(columns_named(column, [key]) for column in self.options.columns.values())
        return is_given or normalised(key) in ALL_NAMES | PAIR_NAMES

    def _is_row(self, keys: Iterable[str]) -> bool:
        mapping = find_mapping(keys, self.options.columns, self.options.format)
        return (mapping is not None and mapping.is_complete) or find_preference(keys) is not None


def _turns_as_rows(name: str, first: RawRow) -> DatasetError:
    """Return the error of an object whose list, under no usual name, holds the turns of one conversation."""
    if not is_conversation([first.value]):
        return DatasetError("no_text_columns", line=first.line, columns=name)
    return DatasetError("unknown_columns", line=first.line, columns=name, maps=map_options({"messages": name}))


def _refuse_columns(members: Mapping[str, Any], line: int) -> None:
    """Refuse a table that was written by columns, as pandas does unless it is told otherwise.

    Raises:
        DatasetError: `table_by_columns`.
    """
    cells = [_cells(value) for value in members.values()]
    if len(cells) > 1 and all(cells) and len({len(column) for column in cells}) == 1:
        raise DatasetError("table_by_columns", line=line, columns=", ".join(members)[:200])


def _cells(value: Any) -> list[Any]:
    """Return the cells of a column: a list, or an object by number, of texts and the like; nothing of another value."""
    is_numbered = isinstance(value, dict) and all(key.isdecimal() for key in value)
    cells = list(value.values()) if is_numbered else value if isinstance(value, list) else []
    return [] if any(isinstance(cell, list | dict) for cell in cells) else cells


def _expect_end(cursor: Cursor) -> None:
    mark = cursor.peek()
    if mark == "[":
        raise DatasetError("jsonl_of_arrays", **cursor.place)
    if mark == "{":
        raise DatasetError("concatenated_objects", **cursor.place)
    if mark:
        raise DatasetError("content_after_json", **cursor.place)


def json_lines(stream: TextIO) -> Iterator[RawRow | Problem]:
    """Yield the row of each line that is not blank."""
    row = 0
    for number, text in numbered_lines(stream, keep_ends=True):
        if text is not None and not text.strip(" \t\r\n\u3000\ufeff"):
            continue
        row += 1
        item = _json_line(number, text, row)
        is_last = text is not None and not text.endswith(("\n", "\r"))
        yield _as_truncated(item) if is_last and isinstance(item, Problem) else item


def _as_truncated(item: Problem) -> Problem:
    if item.code in ("unterminated_string", "unfinished_json"):
        return error("truncated_line", item.line, item.row, item.column)
    return item


def _json_line(number: int, text: str | None, row: int) -> RawRow | Problem:
    if text is None:
        return error("row_too_long", number, row, limit=ROW_CHARACTERS)
    # Files put together from several have byte order marks at the beginning of lines.
    value = text.lstrip("\ufeff")
    return element_row(Element(number, 1 + len(text) - len(value), value.rstrip("\r\n")), row)


def _document_row(element: Element, row: int) -> RawRow | Problem:
    """Return the row of one element of a list, in which two values side by side lack a comma."""
    item = element_row(element, row)
    if isinstance(item, Problem) and item.code == "several_values_on_line":
        return error("missing_comma", item.line, item.row, item.column)
    return item


def element_row(element: Element, row: int) -> RawRow | Problem:
    """Return the row of one JSON value, or what is wrong with it."""
    if element.text is None:
        limit = MAX_DEPTH if element.code == "too_deep" else ROW_CHARACTERS
        return error(element.code, element.line, row, element.column, limit=limit)
    if "\0" in element.text:
        line, column = place_in(element, element.text.index("\0"))
        return error("nul_byte", line, row, column)
    try:
        value: Any = parse_json(element.text)
    except JsonError as refusal:
        line, column = place_in(element, refusal.position)
        name = refusal.params.get("name")
        return error(refusal.code, line, row, column, name, **refusal.params)
    if not isinstance(value, dict):
        code = "row_is_array" if isinstance(value, list) else "row_not_object"
        return error(code, element.line, row, element.column)
    return RawRow(row, element.line, value)


def paragraphs(stream: TextIO) -> Iterator[RawRow | Problem]:
    """Yield plain text as one `text` row per paragraph; paragraphs stand between blank lines."""
    row, start, size = 0, 0, 0
    lines: list[str] = []
    for number, text in numbered_lines(stream):
        if text is None or "\0" in text:
            row += 1
            column = None if text is None else text.index("\0") + 1
            yield error("row_too_long" if text is None else "nul_byte", number, row, column, limit=ROW_CHARACTERS)
        elif text.strip():
            start = start if lines else number
            size += len(text)
            lines.append(text)
        if lines and (not (text or "").strip() or size > ROW_CHARACTERS):
            row += 1
            yield RawRow(row, start, {"text": "\n".join(lines)})
            lines, size = [], 0
    if lines:
        yield RawRow(row + 1, start, {"text": "\n".join(lines)})


def iter_examples(
    path: Path, options: ReadOptions | None = None, on_kept_out: Callable[[Problem], object] = lambda _: None
) -> Iterator[Example]:
    """Yield the examples of a data file in order, up to the first row that cannot be trained on.

    `on_kept_out` is called with the warning for each row that its author kept out of training.

    Raises:
        NotFound: no such file. ConfigError: bad options. DatasetError: not a readable data file.
        DatasetRowError: what is wrong with the one bad row, or `rows_with_errors` that names all bad ones.
    """
    source = Source(Path(path), options or ReadOptions())
    items = read_rows(source, row_reader(source))
    count = num_kept_out = 0
    for item in items:
        if isinstance(item, Example):
            count += 1
            yield item
        elif item.level == "error":
            raise _bad_rows(item, items, source.path, count)
        elif item.code == KEPT_OUT:
            num_kept_out += 1
            on_kept_out(item)
    if not count:
        raise DatasetError("all_rows_kept_out" if num_kept_out else "no_records", count=num_kept_out)


def row_reader(source: Source, keep_chosen: bool = False) -> RowReader:
    """Return what turns the rows of a source into examples; of pairs of answers it can keep the better one."""
    options, is_table = source.options, source.container.kind == "csv"
    return RowReader(options.format, options.columns, is_table, source.path, keep_chosen)


def read_rows(source: Source, reader: RowReader) -> Iterator[Example | Problem]:
    """Yield, for each row, its example, or the first error in it, or why there is nothing in it (a warning).

    Raises:
        DatasetError: the rest of the file cannot be read, or no row has a column that `--map` names.
    """
    for item in source.rows():
        example, problems = (None, [item]) if isinstance(item, Problem) else reader.read(item)
        yield example or min(problems, key=lambda problem: problem.level != "error")
    reader.finish()


def _bad_rows(first: Problem, following: Iterator[Example | Problem], path: Path, num_good: int) -> DatasetError:
    """Read on to the end of the file and return one error for all rows that have one.

    Where no row is left beside them, the next step is that of the first one, and not to leave them out.
    """
    bad = [first]
    count = 1
    try:
        for item in following:
            if isinstance(item, Example):
                num_good += 1
            elif item.level == "error":
                count += 1
                bad.append(item) if count <= LISTED_LINES else None
    except DatasetError as failure:  # the rest cannot be read
        count += 1
        bad.append(from_exception(failure))
    first = first if num_good else first.of_none_good()
    if count == 1:
        return first.to_error()
    listed = ", ".join(str(problem.line) for problem in bad) + (", …" if count > len(bad) else "")
    place = {"line": first.line, "row": first.row, "column": first.column, "field": first.field}
    described = {"first_code": first.code, "first": first.message, "first_hint": first.hint}
    if not num_good:
        return DatasetRowError("no_row_trainable", path=str(path), count=count, listed=listed, **described, **place)
    return DatasetRowError("rows_with_errors", path=str(path), count=count, listed=listed, **described, **place)
