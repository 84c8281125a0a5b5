"""Whatever the layout and the texts, a changed row is what was asked for, and the others are what they were."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmlora.data.convert import RowPlan
from llmlora.data.edit import RowChange, change_row, keep_rows
from llmlora.data.raw import RawRow
from llmlora.data.read import ReadOptions, Source

TEXT = st.text(
    st.characters(codec="utf-8", exclude_characters="\0\ufeff", exclude_categories=("Cs", "Cc")),
    min_size=1,
    max_size=12,
)
# U+2028 and NEL are no ends of lines; quotes, delimiters and line feeds are parts of cells
CELL = st.one_of(TEXT, st.sampled_from(['"', "a,b", "x\ny", "a;b", "'", "\u2028", "=1+1", "終わり。\n", "\u3000x"]))
# A record of blank cells is no row, so something stands in the first
ROWS = st.lists(
    st.fixed_dictionaries({"instruction": CELL.map(lambda text: f"問{text}"), "output": CELL}), min_size=1, max_size=6
)


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def spaced(rows):
    return "\n\n".join(json.dumps(row) for row in rows)


def document(rows):
    return json.dumps(rows, ensure_ascii=False, indent=2)


def table(rows, end="\n"):
    def cell(text):
        return '"' + text.replace('"', '""') + '"'

    lines = [f"{cell(row['instruction'])},{cell(row['output'])}" for row in rows]
    return end.join(["instruction,output", *lines]) + end


def windows_table(rows):
    return table(rows, "\r\n")


LAYOUTS = {
    "jsonl": (jsonl, ".jsonl"),
    "spaced": (spaced, ".jsonl"),
    "document": (document, ".json"),
    "table": (table, ".csv"),
    "windows table": (windows_table, ".csv"),
}


def read(path):
    items = list(Source(path, ReadOptions()).rows())
    assert all(isinstance(item, RawRow) for item in items)
    return [item.value for item in items]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("any")


def written(folder, layout, rows):
    make, suffix = LAYOUTS[layout]
    path = folder / f"data{suffix}"
    path.write_bytes(make(rows).encode())
    return path


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=40, deadline=None)
@given(rows=ROWS, data=st.data())
def test_one_field_changes(folder, layout, rows, data):
    number = data.draw(st.integers(1, len(rows)))
    text = data.draw(CELL)
    path = written(folder, layout, rows)
    suffix = change_row(Source(path, ReadOptions()), folder / "out", RowChange(number, fields={"output": text}))
    target = (folder / "out").rename(folder / f"out{suffix}")
    expected = [{**row, "output": text} if place == number else row for place, row in enumerate(rows, 1)]
    assert read(target) == expected


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25, deadline=None)
@given(rows=ROWS.filter(lambda rows: len(rows) > 1), data=st.data())
def test_one_row_goes(folder, layout, rows, data):
    number = data.draw(st.integers(1, len(rows)))
    path = written(folder, layout, rows)
    suffix = change_row(Source(path, ReadOptions()), folder / "out", RowChange(number))
    target = (folder / "out").rename(folder / f"out{suffix}")
    assert read(target) == [row for place, row in enumerate(rows, 1) if place != number]


@pytest.mark.parametrize("layout", LAYOUTS)
@settings(max_examples=25, deadline=None)
@given(rows=ROWS)
def test_copies_go_and_the_first_stay(folder, layout, rows):
    doubled = [*rows, *rows]
    path = written(folder, layout, doubled)
    source = Source(path, ReadOptions())
    marks = RowPlan(source, {"drop_invalid": True, "deduplicate": True}).marks
    suffix = keep_rows(source, folder / "out", marks)
    target = (folder / "out").rename(folder / f"out{suffix}")
    assert len(marks) == len(doubled)
    expected = [row for row, mark in zip(doubled, marks, strict=True) if mark]
    if expected:
        assert read(target) == expected
    assert not any(marks[len(rows) :])
