"""Whatever rows people have, every layout and encoding that can hold them gives them back unchanged."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmlora.data.convert import convert_dataset
from llmlora.data.formats import is_blank
from llmlora.data.read import iter_examples
from llmlora.data.validate import check_dataset

CHARACTERS = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff") | st.sampled_from(
    "\n\t\"\\,;'あ漢="
)
TEXTS = st.text(CHARACTERS, min_size=1, max_size=30).filter(lambda text: not is_blank(text))
ROWS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
Rows = list[tuple[str, str]]


def objects(rows: Rows) -> list[dict[str, str]]:
    return [{"instruction": question, "output": answer} for question, answer in rows]


def as_csv(rows: Rows, delimiter: str = ",", end: str = "\r\n") -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("指示", "出力"), *rows])
    return stream.getvalue()


WRITERS = {
    "lines.jsonl": lambda rows: "\n".join(json.dumps(row, ensure_ascii=False) for row in objects(rows)),
    "escaped.jsonl": lambda rows: "\r\n".join(json.dumps(row) for row in objects(rows)) + "\r\n",
    "array.json": lambda rows: json.dumps(objects(rows), ensure_ascii=False),
    "pretty.json": lambda rows: json.dumps(objects(rows), ensure_ascii=False, indent=4),
    "wrapped.json": lambda rows: json.dumps({"license": "CC0", "examples": objects(rows)}, ensure_ascii=False),
    "comma.csv": as_csv,
    "semicolon.csv": lambda rows: as_csv(rows, ";", "\n"),
    "tab.tsv": lambda rows: as_csv(rows, "\t", "\n"),
}


def read_back(path: Path) -> Rows:
    return [(one.messages[0].content, one.messages[1].content) for one in iter_examples(path)]


@pytest.mark.parametrize("name", WRITERS)
@QUICK
@given(rows=ROWS)
def test_rows_come_back_unchanged(tmp_path: Path, name: str, rows: Rows) -> None:
    path = tmp_path / name
    path.write_bytes(WRITERS[name](rows).encode())
    assert read_back(path) == rows
    report = check_dataset(path)
    assert (report.ok, report.num_examples, report.encoding) == (True, len(rows), "utf-8")


@QUICK
@given(rows=ROWS)
def test_utf16_with_a_mark_holds_everything(tmp_path: Path, rows: Rows) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(as_csv(rows).encode("utf-16"))
    assert read_back(path) == rows


@QUICK
@given(rows=ROWS)
def test_conversion_keeps_every_character(tmp_path: Path, rows: Rows) -> None:
    path = tmp_path / "a.json"
    path.write_text(WRITERS["array.json"](rows), encoding="utf-8")
    lines = convert_dataset(path, tmp_path / "lines.jsonl", overwrite=True).output
    assert read_back(lines) == rows
    table = convert_dataset(path, tmp_path / "table.csv", overwrite=True, raw=True).output
    assert read_back(table) == rows


@QUICK
@given(rows=ROWS, bad=st.integers(0, 7))
def test_one_bad_row_costs_one_row(tmp_path: Path, rows: Rows, bad: int) -> None:
    path = tmp_path / "a.jsonl"
    lines = [json.dumps(row, ensure_ascii=False) for row in objects(rows)]
    place = min(bad, len(lines))
    lines.insert(place, '{"instruction": "a", "output": "b",}')
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    report = check_dataset(path)
    assert report.num_examples == len(rows)
    errors = [(problem.code, problem.line) for problem in report.problems if problem.level == "error"]
    assert errors == [("trailing_comma", place + 1)]
    kept = convert_dataset(path, tmp_path / "kept.jsonl", drop_invalid=True, overwrite=True)
    assert read_back(kept.output) == rows
    assert [row["line"] for row in kept.dropped] == [place + 1]
