"""Turns under other names, in cells, and one per row: never learned as if roles and rows were text."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from llmlora.cli.words import columns_of
from llmlora.data.formats import RowReader
from llmlora.data.problems import Problem
from llmlora.data.raw import RawRow
from llmlora.data.read import iter_examples, read_options
from llmlora.data.turn_parts import is_conversation
from llmlora.data.validate import check_dataset

TURNS = [{"role": "user", "content": "開店は？"}, {"role": "assistant", "content": "9時です。"}]
SHAREGPT = [{"from": "human", "value": "開店は？"}, {"from": "gpt", "value": "9時です。"}]
PAIRS = [{"input": "開店は？", "output": "9時です。"}]


def written(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def cell(value: Any) -> str:
    return '"' + json.dumps(value, ensure_ascii=False).replace('"', '""') + '"'


def refused(path: Path) -> Problem:
    return next(problem for problem in check_dataset(path).problems if problem.level == "error")


def learned_as_the_hint_says(path: Path) -> list[tuple[str, str]]:
    """Return the turns of the first row, read with the command in the hint."""
    hint = refused(path).hint
    line = next(line for line in hint.splitlines() if "--map" in line)
    columns = columns_of(shlex.split(line[line.index("--map") :])[1::2])
    (first, *_) = iter_examples(path, read_options(columns=columns))
    return [(turn.role, turn.content) for turn in first.messages]


@pytest.mark.parametrize("name", ["turns", "chat", "やり取り", "items"])
@pytest.mark.parametrize("turns", [TURNS, SHAREGPT])
@pytest.mark.parametrize("count", [1, 2])
def test_a_list_of_turns_under_another_name_is_proposed_as_messages(
    tmp_path: Path, name: str, turns: list[dict[str, str]], count: int
) -> None:
    rows = [{name: turns, "id": "a"}] * count
    path = written(tmp_path / "data.jsonl", *rows)
    assert learned_as_the_hint_says(path) == [("user", "開店は？"), ("assistant", "9時です。")]


@pytest.mark.parametrize("header", ["chat", "id,chat", "やり取り,メモ"])
def test_turns_in_a_cell_are_proposed_as_messages(tmp_path: Path, header: str) -> None:
    cells = [cell(TURNS) if name in ("chat", "やり取り") else "x" for name in header.split(",")]
    path = tmp_path / "data.csv"
    path.write_text(f"{header}\n{','.join(cells)}\n", encoding="utf-8")
    assert learned_as_the_hint_says(path) == [("user", "開店は？"), ("assistant", "9時です。")]


def test_turns_in_the_cells_of_a_table_without_a_header_lose_no_row(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"1,{cell(TURNS)}\n2,{cell(TURNS)}\n", encoding="utf-8")
    assert refused(path).code == "no_header"
    assert len(learned_as_the_hint_says(path)) == 2
    assert len(list(iter_examples(path, read_options(columns={"messages": "#2"})))) == 2


@pytest.mark.parametrize(
    "turns",
    [
        [{"speaker": "user", "text": "a"}, {"speaker": "assistant", "text": "b"}],
        [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}],
    ],
)
@pytest.mark.parametrize("count", [1, 2])
def test_turns_in_a_form_that_is_not_read_are_no_rows(tmp_path: Path, turns: list[Any], count: int) -> None:
    path = written(tmp_path / "data.jsonl", *[{"dialog": turns}] * count)
    assert refused(path).code == "no_text_columns"
    assert "--map" not in refused(path).hint


@pytest.mark.parametrize("turns", [TURNS, SHAREGPT])
@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv"])
def test_one_turn_per_row_is_named(tmp_path: Path, turns: list[dict[str, str]], suffix: str) -> None:
    path = tmp_path / f"data{suffix}"
    if suffix == ".csv":
        lines = [",".join(turns[0]), *(",".join(turn.values()) for turn in turns)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    elif suffix == ".json":
        path.write_text(json.dumps(turns), encoding="utf-8")
    else:
        written(path, *turns)
    assert refused(path).code == "row_is_turn"
    assert "messages" in refused(path).hint


def test_texts_with_their_authors_are_still_rows(tmp_path: Path) -> None:
    rows = [{"author": "漱石", "text": "吾輩は猫である。"}, {"author": "鴎外", "text": "石炭をば早や積み果てつ。"}]
    path = tmp_path / "data.json"
    path.write_text(json.dumps({"works": rows}, ensure_ascii=False), encoding="utf-8")
    assert [example.text for example in iter_examples(path)] == [row["text"] for row in rows]


def test_prompt_and_completion_in_cells_are_one_conversation(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"prompt,completion\n{cell(TURNS[:1])},{cell(TURNS[1:])}\n", encoding="utf-8")
    report = check_dataset(path)
    assert (report.format, report.num_examples) == ("chat", 1)
    (example,) = iter_examples(path)
    assert [turn.content for turn in example.messages] == ["開店は？", "9時です。"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (TURNS, True), (json.dumps(SHAREGPT), True), (PAIRS, True), (repr(TURNS), True), ([], False), ("[1]", False),
        ([{"role": "user"}], False), ([{"role": "stranger", "content": "a"}], False), (["a", "b"], False), (3, False),
    ],
)  # fmt: skip
def test_what_is_a_conversation(value: Any, expected: bool) -> None:
    assert is_conversation(value) is expected


@pytest.mark.parametrize(
    ("turn", "unused"),
    [
        ({"content": "b", "value": "other"}, "value"),
        ({"content": "b", "from": "human"}, "from"),
        ({"content": "b", "reasoning_content": ["step"]}, "reasoning_content"),
        ({"content": "b", "thoughts": "step"}, "thoughts"),
    ],
)
def test_what_a_turn_says_twice_or_in_another_form_is_named(turn: dict[str, Any], unused: str) -> None:
    reader = RowReader(None, {})
    for value in ([TURNS[0], {"role": "assistant", **turn}], json.dumps([TURNS[0], {"role": "assistant", **turn}])):
        reader.ignored.clear()
        reader.read(RawRow(1, 1, {"messages": value}))
        assert list(reader.ignored) == [f"messages[].{unused}"]


@pytest.mark.parametrize("name", ["Weight", "WEIGHT", "loss-weight", "Train", " weight"])
def test_marks_are_compared_as_names_of_columns_are(name: str) -> None:
    reader = RowReader(None, {})
    turns = [TURNS[0], {**TURNS[1], name: 0}, *TURNS]
    example, _ = reader.read(RawRow(1, 1, {"messages": turns}))
    assert example is not None
    assert [turn.learned for turn in example.messages] == [True, False, True, True]
    assert list(reader.ignored) == []
