"""Several data files as one: the rows are those of the sources, and which ones depends on nothing but them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.core.errors import DatasetError
from llmlora.data.mix import MixSource, mix_files
from llmlora.data.read import ReadOptions


def write(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def questions(name, count):
    return [{"instruction": f"{name}{number}は？", "output": f"{name}の答え{number}"} for number in range(count)]


def asked(path):
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [row["messages"][0]["content"] for row in rows]


def test_all_rows_of_all_files_in_order(tmp_path):
    one = write(tmp_path / "a.jsonl", questions("あ", 3))
    two = tmp_path / "b.csv"
    two.write_text("質問,回答\nい0は？,答え\nい1は？,答え\n", encoding="utf-8")
    sources = [MixSource(one, ReadOptions()), MixSource(two, ReadOptions())]
    assert mix_files(sources, tmp_path / "out.jsonl", 42) == [3, 2]
    assert asked(tmp_path / "out.jsonl") == ["あ0は？", "あ1は？", "あ2は？", "い0は？", "い1は？"]


@given(count=st.integers(1, 40), share=st.floats(0.01, 1.0))
def test_a_share_is_that_many_rows_and_always_the_same(tmp_path_factory, count, share):
    folder = tmp_path_factory.mktemp("mix")
    source = write(folder / "a.jsonl", questions("あ", count))
    sources = [MixSource(source, ReadOptions(), share)]
    expected = max(1, round(share * count))
    assert mix_files(sources, folder / "one.jsonl", 42) == [expected]
    mix_files(sources, folder / "two.jsonl", 42)
    assert (folder / "one.jsonl").read_bytes() == (folder / "two.jsonl").read_bytes()
    found = asked(folder / "one.jsonl")
    assert found == [question for question in asked_of(count) if question in found], "in the order of the file"


def asked_of(count):
    return [row["instruction"] for row in questions("あ", count)]


def test_another_seed_takes_other_rows(tmp_path):
    sources = [MixSource(write(tmp_path / "a.jsonl", questions("あ", 100)), ReadOptions(), 0.5)]
    for seed in (1, 2):
        mix_files(sources, tmp_path / f"{seed}.jsonl", seed)
    assert set(asked(tmp_path / "1.jsonl")) != set(asked(tmp_path / "2.jsonl"))


def test_rows_of_different_forms_are_refused_and_nothing_is_written(tmp_path):
    one = write(tmp_path / "a.jsonl", questions("あ", 2))
    two = write(tmp_path / "b.jsonl", [{"text": "長い文章です。"}])
    with pytest.raises(DatasetError, match="mix_of_formats"):
        mix_files([MixSource(one, ReadOptions()), MixSource(two, ReadOptions())], tmp_path / "out.jsonl", 42)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "b.jsonl"]
