"""Rows of a file as they are shown: what stands there, what is trained on, and what cannot be read."""

import json

import pytest

from llmlora.core.errors import DatasetError
from llmlora.data import browse as browsing
from llmlora.data.browse import RowQuery, browse
from llmlora.data.read import ReadOptions, Source

LINES = [
    '{"instruction": "営業時間は？", "output": "9時からです。", "出典": "案内"}',
    "",
    '{"instruction": "broken", ',
    '{"instruction": "定休日は？", "output": ""}',
    '{"instruction": "ＡＢＣ カード", "output": "使えます。"}',
]


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    return Source(path, ReadOptions())


def page(source, **query):
    return browse(source, RowQuery(**query))


def test_rows_as_they_stand_and_as_they_are_trained_on(source):
    found = page(source).rows
    assert [(row["row"], row["line"]) for row in found] == [(1, 1), (2, 3), (3, 4), (4, 5)]
    assert found[0]["fields"] == json.loads(LINES[0])
    messages = [{"role": "user", "content": "営業時間は？"}, {"role": "assistant", "content": "9時からです。"}]
    assert found[0]["example"] == {"messages": messages}
    assert (found[1]["fields"], found[1]["example"], found[1]["text"]) == (None, None, LINES[2])
    assert (found[2]["fields"]["output"], found[2]["example"]) == ("", None)


def test_pages_follow_each_other(source):
    first = page(source, limit=3)
    assert ([row["row"] for row in first.rows], first.next_after) == ([1, 2, 3], 3)
    last = page(source, after=first.next_after)
    assert ([row["row"] for row in last.rows], last.next_after) == ([4], None)
    assert page(source, after=4).rows == []


def test_search_and_choice(source):
    assert [row["row"] for row in page(source, search="abc カード").rows] == [4]
    assert [row["row"] for row in page(source, search="案内").rows] == [1]
    assert page(source, search="どこにもない").rows == []
    assert [row["row"] for row in page(source, rows={3, 4}, limit=1).rows] == [3]


def test_long_texts_are_cut_and_say_so(tmp_path):
    path = tmp_path / "data.jsonl"
    rows = [{"instruction": "a", "output": "字" * 5000}, {"text": "x", "many": ["y"] * 100_000}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    first, second = page(Source(path, ReadOptions())).rows
    assert first["is_shortened"]
    assert len(first["fields"]["output"]) == browsing.TEXT_CHARACTERS + 1
    assert (second["fields"], second["is_shortened"]) == ({}, True)
    assert len(second["text"]) == browsing.TEXT_CHARACTERS


def test_a_page_ends_when_it_is_large(tmp_path, monkeypatch):
    monkeypatch.setattr(browsing, "PAGE_CHARACTERS", 3000)
    path = tmp_path / "data.jsonl"
    path.write_text("".join(json.dumps({"text": f"{n} " + "x" * 900}) + "\n" for n in range(9)), encoding="utf-8")
    found = page(Source(path, ReadOptions()))
    assert (len(found.rows), found.next_after) == (2, 2)


def test_cells_of_a_table_that_nobody_understands(tmp_path):
    path = tmp_path / "data.csv"
    path.write_text("列い,列ろ\n1,2\n3,4,5\n", encoding="utf-8")
    found = page(Source(path, ReadOptions())).rows
    assert [(row["line"], row["fields"], row["example"]) for row in found] == [
        (2, {"列い": "1", "列ろ": "2"}, None),
        (3, None, None),
    ]
    assert found[1]["text"] == "3,4,5"


def test_a_file_without_rows(tmp_path):
    path = tmp_path / "data.jsonl"
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        page(Source(path, ReadOptions()))
    assert caught.value.code == "no_records"


def test_what_stands_before_the_place_where_reading_ends(tmp_path):
    path = tmp_path / "data.json"
    path.write_text('[{"text": "a"}, {"text": "b"}] []', encoding="utf-8")
    assert [row["row"] for row in page(Source(path, ReadOptions())).rows] == [1, 2]
    assert page(Source(path, ReadOptions()), after=2).rows == []
