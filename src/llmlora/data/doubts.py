"""What only a person can tell about a data file: its encoding and the meaning of its columns, each with examples."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmlora.core.errors import DatasetError
from llmlora.data.encoding import encoding_proposals
from llmlora.data.header import numbered, proposal, proposal_by_number
from llmlora.data.raw import RawRow
from llmlora.data.read import ReadOptions, Source
from llmlora.data.validate import CheckReport

ENCODING_CODES = frozenset({"encoding_ambiguous", "encoding_mismatch", "not_utf8", "jis_unreadable", "other_encoding"})
COLUMN_CODES = frozenset(
    {
        "unknown_columns", "no_header", "header_unclear", "two_columns", "column_missing", "mapped_column_missing",
        "columns_lack_format",
    }
)  # fmt: skip
SHOWN_ROWS = 3
SHOWN_COLUMNS = 50
SHOWN_CHARACTERS = 100


def doubts_of(path: Path, report: CheckReport) -> dict[str, Any] | None:
    """Return {encodings, columns} to ask about, or None where nothing is in doubt.

    `encodings` are those of `encoding_proposals`. `columns` is None or {names: [{name, examples}], map}, where `map`
    (field -> column) is the likeliest reading.
    """
    codes = set(report.counts)
    encodings = encoding_proposals(path) if codes & ENCODING_CODES else []
    columns = _columns(path, report.encoding, codes) if codes & COLUMN_CODES else None
    return {"encodings": encodings, "columns": columns} if encodings or columns else None


def _columns(path: Path, encoding: str | None, codes: set[str]) -> dict[str, Any] | None:
    rows = list(_first_rows(path, ReadOptions(encoding=encoding)))
    names = list(rows[0].value) if rows else []
    likeliest = proposal(names)
    if "no_header" in codes and names:
        likeliest = proposal_by_number(names)
        rows = list(_first_rows(path, ReadOptions(encoding=encoding, columns=likeliest)))
        names = numbered(len(names))
    if not rows:
        return None
    shown = [{"name": name, "examples": [_text(row.value.get(name)) for row in rows]} for name in names[:SHOWN_COLUMNS]]
    return {"names": shown, "map": likeliest}


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, ensure_ascii=False)
    return text[:SHOWN_CHARACTERS]


def _first_rows(path: Path, read: ReadOptions) -> Iterator[RawRow]:
    """Yield the first rows that can be read."""
    count = 0
    try:
        for item in Source(path, read).rows():
            if isinstance(item, RawRow):
                count += 1
                yield item
            if count == SHOWN_ROWS or (item.row or 0) > 1000:
                return
    except DatasetError:  # the report has told what the rest of the file is like
        return
