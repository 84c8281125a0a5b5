"""Change a row of a data file, add one, or take rows out: everything else of the file stays as it is, in UTF-8."""

from __future__ import annotations

import csv
import io
import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from llmlora.core.errors import DatasetError, DatasetRowError
from llmlora.data.lines import line_pieces
from llmlora.data.problems import Problem
from llmlora.data.raw import RawRow
from llmlora.data.read import Source
from llmlora.data.table import record_at


@dataclass(frozen=True)
class RowChange:
    """What to do with row `row` (1-based): set some `fields`, put `value` in its place, or, with neither, drop it."""

    row: int
    fields: Mapping[str, Any] | None = None
    value: Mapping[str, Any] | None = None


def change_row(source: Source, target: Path, change: RowChange) -> str:
    """Write the file with one row changed to `target`, and return the suffix that its layout asks for.

    A JSON document becomes JSON Lines; other files keep their layout.

    Raises:
        DatasetError: `row_not_there`. DatasetRowError: `row_unreadable` (only a whole row can take its place),
            `cell_not_text`, `column_not_there`, or `rows_unreadable` (others that a JSON document cannot be written
            again with).
    """
    old = _find(source, change.row)
    with target.open("w", encoding="utf-8", newline="") as stream:
        if source.container.kind == "json":
            _write_lines(source, stream, old, change)
            return ".jsonl"
        first, last, text = _replacement(source, old, change)
        _copy(source, stream, (first, last), text)
    return ".jsonl" if source.container.kind == "jsonl" else source.path.suffix


def add_row(source: Source, target: Path, value: Mapping[str, Any]) -> str:
    """Write the file with one more row behind the others to `target`, and return the suffix as `change_row` does.

    Raises:
        DatasetRowError: `cell_not_text`, `column_not_there` or `rows_unreadable`, as of `change_row`.
    """
    kind = source.container.kind
    with target.open("w", encoding="utf-8", newline="") as stream:
        if kind == "json":
            stream.writelines(_same_line(item) for item in source.rows())
        elif not _copy_all(source, stream).endswith("\n"):
            stream.write("\n")
        stream.write(_new_record(source, value) if kind == "csv" else _new_line(source, value))
    return ".jsonl" if kind in ("json", "jsonl") else source.path.suffix


def keep_rows(source: Source, target: Path, marks: Sequence[int]) -> str:
    """Write those rows whose mark is not 0, and return the suffix; `marks` has one for each item of `source.rows()`.

    A JSON document becomes JSON Lines; other files keep their layout, and what stands in front of the first row.
    """
    items = zip(source.rows(), marks, strict=True)
    with target.open("w", encoding="utf-8", newline="") as stream:
        if source.container.kind == "json":
            kept = (item for item, mark in items if mark and isinstance(item, RawRow))
            stream.writelines(_json_line(item.value) for item in kept)
            return ".jsonl"
        _copy_kept(source, stream, _borders((item.line or 0, bool(mark)) for item, mark in items))
    return ".jsonl" if source.container.kind == "jsonl" else source.path.suffix


def _borders(rows: Iterable[tuple[int, bool]]) -> array[int]:
    """Return the lines with which rows to keep and rows to leave out take turns; a row reaches to the next one."""
    borders, was_kept = array("Q"), True
    for line, is_kept in rows:
        if is_kept != was_kept:
            borders.append(line)
            was_kept = is_kept
    return borders


def _copy_kept(source: Source, target: TextIO, borders: Sequence[int]) -> None:
    place, is_kept = 0, True
    with source.path.open(encoding=source.encoding.name, newline="") as old:
        for number, piece, _ in line_pieces(old):
            while place < len(borders) and borders[place] <= number:
                place, is_kept = place + 1, not is_kept
            if is_kept:
                target.write(piece)


def _find(source: Source, row: int) -> RawRow | Problem:
    for item in source.rows():
        if item.row == row:
            return item
    raise DatasetError("row_not_there", row=row)


def _changed(old: RawRow | Problem, change: RowChange) -> dict[str, Any] | None:
    """Return the new value of a row, None for one that goes."""
    if change.value is not None:
        return dict(change.value)
    if change.fields is None:
        return None
    if isinstance(old, Problem):
        raise DatasetRowError("row_unreadable", line=old.line, row=old.row)
    return {**old.value, **change.fields}


def _write_lines(source: Source, stream: TextIO, old: RawRow | Problem, change: RowChange) -> None:
    """Write the elements of a JSON document as lines."""
    for item in source.rows():
        if item.row == change.row:
            value = _changed(old, change)
            stream.write("" if value is None else _json_line(value))
        else:
            stream.write(_same_line(item))


def _same_line(item: RawRow | Problem) -> str:
    if isinstance(item, Problem):
        raise DatasetRowError("rows_unreadable", line=item.line, row=item.row)
    return _json_line(item.value)


def _copy_all(source: Source, target: TextIO) -> str:
    """Copy the text of a file and return its last piece."""
    last = ""
    with source.path.open(encoding=source.encoding.name, newline="") as stream:
        for _, last, _ in line_pieces(stream):
            target.write(last)
    return last


def _new_line(source: Source, value: Mapping[str, Any]) -> str:
    if source.container.kind != "text":
        return _json_line(value)
    return f"\n{_cell(value.get('text'), _end(source))}\n"  # paragraphs are divided by an empty line


def _new_record(source: Source, value: Mapping[str, Any]) -> str:
    delimiter = source.container.delimiter or ","
    with source.path.open(encoding=source.encoding.name, newline="") as stream:
        header, _, end = record_at(stream, delimiter, 1, source.container.has_header)
    return _record_text(header, value, delimiter, end, _end(source))


def _end(source: Source) -> RawRow:
    """Return an empty row behind the last one, as the place that an error names."""
    last = max(source.rows(), key=lambda item: item.row or 0)
    return RawRow((last.row or 0) + 1, (last.line or 0) + 1, {})


def _replacement(source: Source, old: RawRow | Problem, change: RowChange) -> tuple[int, int, str]:
    """Return first and last line of a row, and what takes their place."""
    line = old.line or 1
    if source.container.kind == "csv":
        return _record(source, old, line, change)
    value = _changed(old, change)
    if source.container.kind == "jsonl":
        return line, line, "" if value is None else _json_line(value)
    height = str(old.value["text"]).count("\n") + 1 if isinstance(old, RawRow) else 1
    return line, line + height - 1, "" if value is None else _cell(value.get("text"), old) + "\n"


def _record(source: Source, old: RawRow | Problem, line: int, change: RowChange) -> tuple[int, int, str]:
    delimiter = source.container.delimiter or ","
    with source.path.open(encoding=source.encoding.name, newline="") as stream:
        header, last, end = record_at(stream, delimiter, line, source.container.has_header)
    value = _changed(old, change)
    if value is None:
        return line, last, ""
    return line, last, _record_text(header, value, delimiter, end, old)


def _record_text(
    header: Sequence[str], value: Mapping[str, Any], delimiter: str, end: str, old: RawRow | Problem
) -> str:
    unknown = next((name for name in value if name not in header), None)
    if unknown is not None:
        raise DatasetRowError("column_not_there", line=old.line, row=old.row, name=unknown, known=", ".join(header))
    text = io.StringIO()
    cells = [_cell(value.get(name, ""), old) for name in header]
    csv.writer(text, delimiter=delimiter, lineterminator=end).writerow(cells)
    return text.getvalue()


def _cell(value: Any, old: RawRow | Problem) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise DatasetRowError("cell_not_text", line=old.line, row=old.row)
    return value


def _copy(source: Source, target: TextIO, lines: tuple[int, int], text: str) -> None:
    with source.path.open(encoding=source.encoding.name, newline="") as stream:
        for number, piece, is_first in line_pieces(stream):
            if not lines[0] <= number <= lines[1]:
                target.write(piece)
            elif number == lines[0] and is_first:
                target.write(text)


def _json_line(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False) + "\n"
