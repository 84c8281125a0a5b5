"""Look at rows of a data file as they stand in it and as they are trained on: a page of them, or those with a word."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from llmlora.core.errors import DatasetError
from llmlora.data.duplicates import folded
from llmlora.data.formats import RowReader
from llmlora.data.lines import numbered_lines
from llmlora.data.problems import Problem
from llmlora.data.raw import RawRow
from llmlora.data.read import Source, row_reader

TEXT_CHARACTERS = 4_000  # shown of one text
ROW_CHARACTERS = 200_000  # of a row; a longer one is shown as the beginning of its JSON text
PAGE_CHARACTERS = 4_000_000  # after which a page ends, whatever was asked for


@dataclass(frozen=True)
class RowQuery:
    """Which rows to show: `limit` of those behind row `after`, with `search` in them, only those in `rows`."""

    after: int = 0
    limit: int = 50
    search: str = ""
    rows: Collection[int] | None = None


@dataclass
class RowPage:
    """Rows as JSON objects, and the row behind which the next page begins; None when there is none."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    next_after: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"rows": self.rows, "next_after": self.next_after}


def browse(source: Source, query: RowQuery) -> RowPage:
    """Return a page of rows: {row, line, fields, text, example, is_shortened}.

    `fields` is what stands in the row, `text` the line of one that cannot be read, `example` what is trained on (None
    for a row that cannot be). Texts are cut to 4,000 characters.

    Raises:
        DatasetError: there is no row that could be shown.
    """
    page, reader, size = RowPage(), row_reader(source), 0
    for item in _matching(source, query):
        if len(page.rows) == query.limit or size > PAGE_CHARACTERS:
            page.next_after = page.rows[-1]["row"]
            break
        view = _view(item, reader)
        size += len(json.dumps(view))
        page.rows.append(view)
    _add_texts(source, [view for view in page.rows if view["fields"] is None])
    return page


def _matching(source: Source, query: RowQuery) -> Iterator[RawRow | Problem]:
    wanted, number = folded(query.search), 0
    try:
        for item in source.rows():
            if item.row is None or item.row == number:  # one more thing that is wrong with the same row
                continue
            number = item.row
            is_asked_for = number > query.after and (query.rows is None or number in query.rows)
            if is_asked_for and (not wanted or _holds(item, wanted)):
                yield item
    except DatasetError:
        if not number:
            raise


def _holds(item: RawRow | Problem, wanted: str) -> bool:
    return isinstance(item, RawRow) and any(wanted in folded(text) for text in _texts(item.value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif value is not None:
        yield str(value)


def _view(item: RawRow | Problem, reader: RowReader) -> dict[str, Any]:
    view = {"row": item.row, "line": item.line, "fields": None, "text": None, "example": None, "is_shortened": False}
    if isinstance(item, Problem):
        return view
    fields = _shortened(item.value)
    view |= {"fields": fields, "is_shortened": fields != item.value}
    shown = json.dumps(fields, ensure_ascii=False)
    if len(shown) > ROW_CHARACTERS:
        return {**view, "fields": {}, "text": shown[:TEXT_CHARACTERS], "is_shortened": True}
    try:
        example, _ = reader.read(item)
    except DatasetError:  # of a table without known columns: its cells can be shown all the same
        return view
    return {**view, "example": None if example is None else _shortened(example.to_dict())}


def _shortened(value: Any) -> Any:
    if isinstance(value, str):
        return value if len(value) <= TEXT_CHARACTERS else f"{value[:TEXT_CHARACTERS]}…"
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return {name: _shortened(item) for name, item in value.items()} if isinstance(value, dict) else value


def _add_texts(source: Source, views: Iterable[dict[str, Any]]) -> None:
    """Put the lines of rows that cannot be read into them."""
    by_line = {view["line"]: view for view in views}
    if not by_line:
        return
    last = max(by_line)
    with source.path.open(encoding=source.encoding.name, newline="") as stream:
        for number, text in numbered_lines(stream):
            if number in by_line and text is not None:
                shown = _shortened(text)
                by_line[number] |= {"text": shown, "is_shortened": shown != text}
            if number >= last:
                return
