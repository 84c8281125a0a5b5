"""A file that was cut off anywhere is never taken for a whole one, and what stands before the cut is still read."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from llmlora.core.errors import DatasetError
from llmlora.data.read import iter_examples
from llmlora.data.validate import CheckReport, check_dataset

ROWS = [
    {"instruction": "When {open}?", "output": 'At "nine", [daily].'},
    {"instruction": "営業時間は？", "output": "夜の8時までです。\n日曜日は6時まで、です。"},
    {"instruction": "Price\\tag?", "output": "980 yen 😀"},
]
CHATS = [
    {"messages": [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": row["output"]}]}
    for row in ROWS
]
DOCUMENTS = {
    "array.json": json.dumps(ROWS, ensure_ascii=False),
    "pretty.json": json.dumps(ROWS, ensure_ascii=False, indent=2),
    "escaped.json": json.dumps(CHATS),
    "wrapped.json": json.dumps({"name": "a", "rows": ROWS, "tags": ["x"]}, ensure_ascii=False),
    "one-row.json": json.dumps(CHATS[1], ensure_ascii=False, indent=1),
}


def checked(path: Path, data: bytes) -> CheckReport:
    path.write_bytes(data)
    report = check_dataset(path)
    try:
        assert len(list(iter_examples(path))) == report.num_examples
        assert report.ok
    except DatasetError:
        assert not report.ok
    return report


@pytest.mark.parametrize("name", DOCUMENTS)
def test_no_beginning_of_a_document_is_one(tmp_path: Path, name: str) -> None:
    data = DOCUMENTS[name].encode()
    assert checked(tmp_path / name, data).ok
    counts = []
    for size in range(len(data)):
        report = checked(tmp_path / name, data[:size])
        assert not report.ok, data[:size]
        assert all(problem.message and problem.hint for problem in report.problems)
        counts.append(report.num_examples)
    assert max(counts) >= (len(ROWS) - 1 if "one-row" not in name else 0), "the rows before the cut are counted"


def test_a_cut_list_of_lines_is_whole_at_its_line_ends_only(tmp_path: Path) -> None:
    lines = [json.dumps(row, ensure_ascii=False).encode() for row in ROWS]
    data = b"\n".join(lines) + b"\n"
    ends = [sum(len(line) + 1 for line in lines[:count]) for count in range(1, len(lines) + 1)]
    whole = {size for end in ends for size in (end - 1, end)}
    for size in range(1, len(data) + 1):
        report = checked(tmp_path / "rows.jsonl", data[:size])
        assert report.ok is (size in whole), data[:size]
        broken = sum(size > end for end in ends)
        if not report.ok and report.num_examples:
            errors = [problem for problem in report.problems if problem.level == "error"]
            assert [problem.line for problem in errors] == [broken + 1]
            assert report.num_examples == broken


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_cut_inside_quotes_is_not_whole(tmp_path: Path, delimiter: str) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([["instruction", "output"], *([row["instruction"], row["output"]] for row in ROWS)])
    data = stream.getvalue().encode()
    path = tmp_path / "rows.csv"
    assert checked(path, data).ok
    text = data.decode()
    for size in range(len('"instruction","output"\r\n'), len(text)):
        cut = text[:size].encode()
        is_open = text[:size].count('"') % 2 == 1
        report = checked(path, cut)
        if is_open:
            assert not report.ok, cut
            assert "unclosed_quote" in report.counts
        assert report.num_examples <= len(ROWS)


def test_a_cut_inside_a_character_names_its_place(tmp_path: Path) -> None:
    data = b"question,answer\na," + "夜の8時".encode()
    for size in (len(data) - 1, len(data) - 2):
        report = checked(tmp_path / "a.csv", data[:size])
        assert [(problem.code, problem.line, problem.column) for problem in report.problems] == [("not_utf8", 2, 6)]
