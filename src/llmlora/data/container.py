"""What kind of file it is: JSON Lines, one JSON document, a table, plain text, or something that is refused."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
import stat
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

from llmlora.core.errors import DatasetError, NotFound
from llmlora.core.lfs_pointer import LFS_POINTER, lfs_params
from llmlora.data.encoding import Encoding
from llmlora.data.fields import columns_named, find_mapping
from llmlora.data.header import has_header, is_by_number
from llmlora.data.strict_json import BRACKET, FULL_WIDTH, JsonError, parse_json

Kind = Literal["jsonl", "json", "csv", "text"]
HEAD_CHARACTERS = 1 << 16
LINE_CHARACTERS = 16 << 20
MAGIC: tuple[tuple[int, bytes, str, str], ...] = (
    (0, LFS_POINTER, "lfs_pointer", "Git LFS"),
    (0, b"PK\x03\x04", "compressed_file", "zip"),
    (0, b"PK\x05\x06", "compressed_file", "zip"),
    (0, b"\x1f\x8b", "compressed_file", "gzip"),
    (0, b"\x28\xb5\x2f\xfd", "compressed_file", "zstd"),
    (0, b"\xfd7zXZ\x00", "compressed_file", "xz"),
    (0, b"BZh", "compressed_file", "bzip2"),
    (0, b"7z\xbc\xaf\x27\x1c", "compressed_file", "7z"),
    (0, b"Rar!\x1a\x07", "compressed_file", "rar"),
    (0, b"\x04\x22\x4d\x18", "compressed_file", "lz4"),
    (257, b"ustar", "compressed_file", "tar"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "spreadsheet_file", "xls"),
    (0, b"PAR1", "binary_file", "Parquet"),
    (0, b"ARROW1", "binary_file", "Arrow"),
    (0, b"%PDF-", "binary_file", "PDF"),
    (0, b"SQLite format 3\x00", "binary_file", "SQLite"),
    (0, b"GGUF", "binary_file", "GGUF"),
    (0, b"{\\rtf", "binary_file", "RTF"),
    (0, b"\x93NUMPY", "binary_file", "NumPy"),
    (0, b"GIF8", "binary_file", "GIF"),
    (0, b"\x89PNG", "binary_file", "PNG"),
    (0, b"\xff\xd8\xff", "binary_file", "JPEG"),
    (0, b"\x7fELF", "binary_file", "ELF"),
    (0, b"\x80\x02", "binary_file", "pickle"),
    (0, b"\x80\x04", "binary_file", "pickle"),
    (0, b"\x80\x05", "binary_file", "pickle"),
)
# Names inside an office document (a zip file) -> what it is; looked for at both ends, where zip keeps its names.
OFFICE_MEMBERS = (
    (b"xl/", "spreadsheet_file", "xlsx"),
    (b"opendocument.spreadsheet", "spreadsheet_file", "ods"),
    (b"word/", "binary_file", "Word"),
    (b"ppt/", "binary_file", "PowerPoint"),
    (b"[Content_Types].xml", "spreadsheet_file", "xlsx"),
)
LINES_ABOVE = 10  # records above a header, among which it is looked for
ZIP_DIRECTORY_BYTES = 1 << 16
HTML = re.compile(r"<(?:!doctype\s+html|html|head|body|\?xml)\b", re.IGNORECASE)
SEPARATOR_LINE = re.compile(r"sep=([,;\t])\s*$", re.IGNORECASE)
FULL_WIDTH_COMMA = "\uff0c"
FULL_WIDTH_DELIMITERS = (FULL_WIDTH_COMMA, "\u3001", "\uff1b", "\uff5c")
BAR = "|"
SUFFIXES: dict[str, Kind] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".tsv": "csv", ".txt": "text",
    ".text": "text", ".md": "text",
}  # fmt: skip


@dataclass(frozen=True)
class Container:
    """How the rows are laid out in the file; `delimiter` is of a table, which may begin with a row and not a header."""

    kind: Kind
    delimiter: str | None = None
    has_header: bool = True


def require_file(path: Path) -> None:
    """Check that a path is a file of data: there, and neither a folder nor a pipe nor a device.

    Raises:
        NotFound: `file_not_found` or `not_a_file`. DatasetError: `unreadable_file`, its folder may not be entered.
    """
    try:
        mode = os.stat(path).st_mode
    except PermissionError as failure:
        raise DatasetError("unreadable_file", path=str(path), detail=failure.strerror or "") from failure
    except (OSError, ValueError) as failure:  # also names that are too long, and links in a circle
        raise NotFound("file_not_found", path=str(path)) from failure
    if not stat.S_ISREG(mode):
        raise NotFound("not_a_file", path=str(path))


def refuse_binary(path: Path) -> None:
    """Refuse archives, spreadsheets and other binary files by their first bytes, whatever their name.

    Raises:
        DatasetError: `compressed_file`, `spreadsheet_file` or `binary_file`.
    """
    with path.open("rb") as stream:
        head = stream.read(4096)
        for offset, magic, code, kind in MAGIC:
            if head[offset : offset + len(magic)] == magic:
                code, kind = _office_kind(head, stream) or (code, kind) if kind == "zip" else (code, kind)
                raise DatasetError(code, kind=kind, **lfs_params(path))


def _office_kind(head: bytes, stream: BinaryIO) -> tuple[str, str] | None:
    """Return code and name of an office document; its members' names stand at the beginning and in the last bytes."""
    stream.seek(max(0, stream.seek(0, os.SEEK_END) - ZIP_DIRECTORY_BYTES))
    names = head + stream.read(ZIP_DIRECTORY_BYTES)
    return next(((code, kind) for member, code, kind in OFFICE_MEMBERS if member in names), None)


def detect_container(path: Path, encoding: Encoding, columns: Mapping[str, str] | None = None) -> Container:
    """Return the layout of a file, from its content first and its name second.

    `columns` (field -> column) is what the user gave: a header that holds all of them makes any text a table.

    Raises:
        DatasetError: nothing in it (`no_records`), an HTML page, or a table with lines above its header.
    """
    with path.open(encoding=encoding.name, newline=None) as stream:
        head, first_line = _first_text(stream)
    if HTML.match(head):
        raise DatasetError("html_file", line=1)
    named = SUFFIXES.get(path.suffix.lower())
    if named in ("json", "jsonl"):
        return _json_container(head, named)
    if head[0] in "{[" and _is_row(head.split("\n", 1)[0]):
        return _json_container(head, "jsonl")
    if named == "csv" or _is_table(head, columns or {}):
        has_tabs = path.suffix.lower() == ".tsv" and "\t" in head.split("\n", 1)[0]
        delimiter = "\t" if has_tabs else sniff_delimiter(head)
        if not columns:
            _refuse_lines_above(head, delimiter, first_line)
        return Container("csv", delimiter, has_header(_first_record(head, delimiter), columns or {}))
    if named is None and head[0] in "{[":
        return _json_container(head, "json")
    return Container("text")


def _first_text(stream: Iterator[str]) -> tuple[str, int]:
    """Return the beginning of a file from its first character that is not white space, and the line that is on."""
    read = stream.read  # type: ignore[attr-defined]
    line = 1
    while piece := read(HEAD_CHARACTERS):
        text = str(piece).lstrip(" \t\r\n\f\v\u3000\ufeff")
        line += str(piece)[: len(piece) - len(text)].count("\n")
        if text:
            return text + _rest_of_line(read, "\n" in text), line
    raise DatasetError("no_records")


def _rest_of_line(read: Callable[[int], str], is_ended: bool) -> str:
    """Return what follows up to the end of the line, at most as much as a line may hold, and a little more."""
    pieces: list[str] = []
    size = 0
    while not is_ended and size < LINE_CHARACTERS and (piece := read(16 * HEAD_CHARACTERS)):
        is_ended = "\n" in piece
        size += len(piece)
        pieces.append(piece)
    return "".join([*pieces, read(HEAD_CHARACTERS)])


def _json_container(head: str, named: Kind) -> Container:
    first, ending, rest = head.partition("\n")
    following = rest.lstrip()[:1]
    if head[0] == "[":
        return Container("json")
    if head[0] == "{":
        if not ending and len(head) > LINE_CHARACTERS:
            return Container("json")
        if _is_row(first):
            return Container("jsonl" if following else "json")
        return Container("jsonl" if _is_broken_row(first, following) else "json")
    if _is_json(head.strip()) or (named == "json" and following not in ("{", "[")):
        _refuse_scalar(head)
    return Container("jsonl")


def _refuse_scalar(head: str) -> None:
    if _is_json(head.strip()):
        raise DatasetError("no_records")
    if head[0] in FULL_WIDTH:
        raise DatasetError("full_width_syntax", line=1, column=1)
    raise DatasetError("not_json", line=1, start=head[:20].split("\n", 1)[0])


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except JsonError:
        return False
    return True


def _is_row(line: str) -> bool:
    """Tell whether a line is a whole JSON object, also a forbidden one such as with duplicate keys."""
    try:
        return isinstance(parse_json(line), dict)
    except JsonError as refusal:
        return refusal.code in {"duplicate_key", "not_finite", "number_too_large", "lone_surrogate"}


def _is_broken_row(line: str, following: str) -> bool:
    """Tell a spoilt first row of JSON Lines from the first line of a JSON document spread over many lines."""
    text = line.rstrip()
    depth = 0
    for match in BRACKET.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group()[0], 0)
    has_open_string = '"' in BRACKET.sub("", text)
    if depth <= 0 or has_open_string:
        return True
    return following == "{" and text[-1:] not in "[,:{"


def _first_record(head: str, delimiter: str) -> list[str]:
    try:
        lines = (line for line in io.StringIO(head) if not SEPARATOR_LINE.match(line))
        return next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        return []


def _refuse_lines_above(head: str, delimiter: str, first_line: int) -> None:
    """Refuse a table whose first record names no columns while one of the next does, as under a title.

    Raises:
        DatasetError: `lines_above_header`.
    """
    stream = io.StringIO(head)
    if SEPARATOR_LINE.match(head.split("\n", 1)[0]):
        stream.readline()
        first_line += 1
    reader = csv.reader(stream, delimiter=delimiter)
    try:
        records = [(cells, reader.line_num) for cells in itertools.islice(reader, LINES_ABOVE + 1)]
    except csv.Error:
        return  # said where the rows are read
    headers = (place for place, (cells, _) in enumerate(records) if _names_columns(cells))
    place = next(headers, 0)
    if place:
        cells, number = records[place]
        raise DatasetError("lines_above_header", line=first_line + number - 1, columns=", ".join(cells)[:200])


def _names_columns(cells: list[str]) -> bool:
    """Tell whether a record is a header: it names every column that a row needs."""
    mapping = find_mapping([cell.strip() for cell in cells if cell.strip()], {})
    return mapping is not None and mapping.is_complete and len(mapping.columns) > 1


def _is_table(head: str, columns: Mapping[str, str]) -> bool:
    """Tell whether a first line names every column that a row needs, or all that the user asked for."""
    first = head.split("\n", 1)[0]
    if SEPARATOR_LINE.match(first):
        return True
    cells = [cell.strip(' \t\r"\u3000') for cell in re.split(r"[,;\t]", first)]
    if is_by_number(columns):
        return len(cells) > 1
    if columns:
        return all(columns_named(column, cells) for column in columns.values())
    return _names_columns(cells)


def sniff_delimiter(head: str) -> str:
    """Return the delimiter of a table: the one of comma, tab and semicolon that its first record has most of.

    A bar is one where nothing else stands between the names of columns.

    Raises:
        DatasetError: the columns stand between full-width commas or the like.
    """
    first = head.split("\n", 1)[0]
    declared = SEPARATOR_LINE.match(first)
    if declared:
        return declared[1]
    outside = re.sub(r'"[^"]*"', "", first)
    counts = {mark: outside.count(mark) for mark in (",", "\t", ";")}
    best = max(counts, key=lambda mark: counts[mark])
    if counts[best]:
        return best
    full_width = next((mark for mark in FULL_WIDTH_DELIMITERS if _stands_between(mark, outside)), None)
    if full_width is not None:
        column = outside.index(full_width) + 1
        raise DatasetError("full_width_delimiter", line=1, column=column, delimiter=full_width)
    return BAR if _stands_between(BAR, outside) else ","


def _stands_between(mark: str, header: str) -> bool:
    """Tell whether a mark divides a header: a full-width comma wherever it stands, another one between known names."""
    return mark in header and (mark == FULL_WIDTH_COMMA or _names_columns(header.split(mark)))


def allow_long_cells() -> None:
    """Let a table's cell be as long as a line may be; the csv module's own limit is 131,072 characters."""
    csv.field_size_limit(LINE_CHARACTERS)
