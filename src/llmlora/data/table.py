"""Rows of a CSV or TSV file, each with the physical line it starts on."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from llmlora.core.errors import DatasetError
from llmlora.data.container import LINE_CHARACTERS, SEPARATOR_LINE, allow_long_cells
from llmlora.data.header import kind_of, map_options, numbered, proposal_by_number
from llmlora.data.lines import numbered_lines
from llmlora.data.problems import Problem, error, warning
from llmlora.data.raw import RawRow


class _Lines:
    """Feed physical lines to the csv reader; remember the number of the last one and what was wrong with it.

    A line that is too long comes as an empty one, so that it spoils its own record and no other.
    """

    def __init__(self, stream: TextIO) -> None:
        self._lines = numbered_lines(stream, keep_ends=True)
        self.number = 0
        self.is_windows = False  # how lines end
        self.too_long: list[int] = []
        self.nul_bytes: list[tuple[int, int]] = []

    def __iter__(self) -> Iterator[str]:
        for number, text in self._lines:
            self.number = number
            self.is_windows = text is not None and text.endswith("\r\n")
            if text is None:
                self.too_long.append(number)
            elif "\0" in text:
                self.nul_bytes.append((number, text.index("\0") + 1))
            yield "\n" if text is None else text


def table_rows(stream: TextIO, delimiter: str, has_header: bool = True) -> Iterator[RawRow | Problem]:
    """Yield the rows under the header; a row that cannot be read comes as a finding.

    Without a header the first line is a row, and the columns are called `#1`, `#2`, ….

    Raises:
        DatasetError: no header, or one that names a column twice.
    """
    allow_long_cells()
    lines = _Lines(stream)
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    header = _header(reader, lines) if has_header else []
    row = 0
    while True:
        first_line = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            yield from _line_problems(lines, row + 1)
            if not row and kind_of(header) == "row":  # a single line, which would vanish as a header
                raise _no_header(header, lines.number) from None
            return
        except csv.Error as failure:
            row += 1
            yield from _line_problems(lines, row)
            yield error(_csv_code(str(failure)), first_line, row, last_line=lines.number, limit=LINE_CHARACTERS)
            continue
        spoilt = list(_line_problems(lines, row + 1))
        yield from spoilt
        row += bool(cells or spoilt)
        if cells and not header and _is_declaration(cells):
            row -= 1
        elif cells and not spoilt:
            header = header or numbered(len(cells))
            yield _row(cells, header, row, first_line)


def record_at(stream: TextIO, delimiter: str, line: int, has_header: bool) -> tuple[list[str], int, str]:
    """Return the columns of a table, the last line of the record that begins on a line, and how lines end there."""
    allow_long_cells()
    lines = _Lines(stream)
    reader = csv.reader(iter(lines), delimiter=delimiter, strict=True)
    header = _header(reader, lines) if has_header else []
    while True:
        first = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return header, max(line, lines.number), "\n"
        except csv.Error:
            cells = []
        header = header or numbered(len(cells))
        if first >= line:
            return header, lines.number, "\r\n" if lines.is_windows else "\n"


def _no_header(first: list[str], line: int) -> DatasetError:
    columns, by_number = ", ".join(first)[:200], map_options(proposal_by_number(first))
    return DatasetError("no_header", line=line, columns=columns, by_number=by_number)


def _header(reader: Iterator[list[str]], lines: _Lines) -> list[str]:
    try:
        header = next((cells for cells in reader if cells and not _is_declaration(cells)), None)
    except csv.Error as failure:
        raise DatasetError(_csv_code(str(failure)), line=1, last_line=lines.number, limit=LINE_CHARACTERS) from failure
    if header is None:
        raise DatasetError("no_records")
    if lines.nul_bytes:
        raise DatasetError("nul_byte", line=lines.nul_bytes[0][0], column=lines.nul_bytes[0][1])
    if lines.too_long:
        raise DatasetError("row_too_long", line=lines.too_long[0], limit=LINE_CHARACTERS)
    # A file put together from several may begin with more than one byte order mark.
    names = [name.strip(" \t\u3000\ufeff") for name in header]
    twice = [name for name, count in Counter(names).items() if count > 1 and name]
    if twice:
        if kind_of(names) == "row":
            raise _no_header(names, lines.number)
        raise DatasetError("duplicate_column", line=lines.number, field=twice[0], name=twice[0])
    return names


def _is_declaration(cells: list[str]) -> bool:
    """Tell whether a first line is the `sep=` that Excel writes."""
    return len(cells) <= 2 and SEPARATOR_LINE.match(cells[0] + (";" if len(cells) == 2 else "")) is not None


def _csv_code(message: str) -> str:
    if "field larger" in message:
        return "row_too_long"
    return "unclosed_quote" if "unexpected end" in message else "stray_quote"


def _line_problems(lines: _Lines, row: int) -> Iterator[Problem]:
    for number in lines.too_long:
        yield error("row_too_long", number, row, limit=LINE_CHARACTERS)
    for number, column in lines.nul_bytes:
        yield error("nul_byte", number, row, column)
    lines.too_long.clear()
    lines.nul_bytes.clear()


def _row(cells: list[str], header: list[str], row: int, line: int) -> RawRow | Problem:
    if not any(cell.strip() for cell in cells):
        return warning("blank_row", line, row)
    extra = cells[len(header) :]
    if len(cells) < len(header) or any(extra):
        return error("ragged_row", line, row, expected=len(header), found=len(cells))
    # A cell under a column without a name keeps its place as a name, so that the report can say it was not used.
    names = [
        name or (f"#{place}" if cell else "") for place, (name, cell) in enumerate(zip(header, cells, strict=False), 1)
    ]
    return RawRow(row, line, {name: cell for name, cell in zip(names, cells, strict=False) if name})
