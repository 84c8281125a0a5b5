"""Two columns that fit one field: never is one dropped silently, and the `--map` in the hint settles it."""

from __future__ import annotations

import itertools
import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from llmlora.cli.words import columns_of
from llmlora.core.errors import ConfigError, DatasetError
from llmlora.core.locale import set_language
from llmlora.data.fields import SYNONYMS, columns_named, find_mapping
from llmlora.data.formats import RowReader
from llmlora.data.raw import RawRow
from llmlora.data.read import iter_examples, read_options
from llmlora.data.validate import check_dataset

QUESTIONS = ("instruction", "question", "prompt", "質問", "問題文", "指示")
ANSWERS = ("output", "answer", "response", "回答", "正解")
PAIRS = [
    *((pair, ["output"]) for pair in itertools.combinations(QUESTIONS, 2)),
    *((pair, ["instruction"]) for pair in itertools.combinations(ANSWERS, 2)),
    (("completion", "response"), ["prompt"]),
    (("補足", "context"), ["instruction", "output"]),
    (("system", "システム"), ["instruction", "output"]),
    (("text", "本文"), []),
    (("messages", "会話"), []),
    (("Question", "question"), ["answer"]),
]


@pytest.mark.parametrize(("pair", "others"), PAIRS)
def test_both_are_named_and_either_choice_settles_it(pair: tuple[str, str], others: list[str]) -> None:
    value: dict[str, Any] = {name: f"text of {name}" for name in (*pair, *others)}
    _, (problem,) = RowReader(None, {}).read(RawRow(1, 1, value))
    assert problem.code == "two_columns"
    assert set(problem.params["columns"].split(", ")) == set(pair)
    for choice in problem.params["choices"].split(" / "):
        columns = columns_of(shlex.split(choice)[1::2])
        mapping = find_mapping(value, columns)
        assert mapping is not None and mapping.is_complete and not mapping.rivals
        assert next(iter(columns.values())) in mapping.columns.values()


@pytest.mark.parametrize(
    "columns",
    [
        ["instruction", "input", "output"], ["question", "context", "answer"],
        ["instruction", "input", "output", "text"],
        ["prompt", "prompt_id", "messages"], ["input", "output"], ["user", "assistant", "system"], ["id", "text"],
    ],
)  # fmt: skip
def test_what_belongs_together_is_no_conflict(columns: list[str]) -> None:
    mapping = find_mapping(columns, {})
    assert mapping is not None
    assert mapping.rivals == {}


CELLS = {"指示": "次に答えてください。", "問題文": "高い山は？", "選択肢": "a 富士山", "回答": "a"}
JOINED = "指示:\n次に答えてください。\n問題文:\n高い山は？\n選択肢:\na 富士山"


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".json"])
@pytest.mark.parametrize("language", ["ja", "en"])
def test_columns_are_joined_by_the_command_in_the_hint(tmp_path: Path, suffix: str, language: str) -> None:
    set_language(language)
    path = tmp_path / f"data{suffix}"
    mark = "\t" if suffix == ".tsv" else ","
    table = f"{mark.join(CELLS)}\n{mark.join(CELLS.values())}\n"
    path.write_text(table if suffix in (".csv", ".tsv") else json.dumps(CELLS, ensure_ascii=False), encoding="utf-8")
    (problem,) = [problem for problem in check_dataset(path).problems if problem.level == "error"]
    assert problem.code == "two_columns"
    command = problem.hint.splitlines()[-1]
    columns = columns_of(shlex.split(command[command.index("--map") :])[1:])
    assert columns == {"instruction": "指示+問題文+選択肢"}
    (example,) = iter_examples(path, read_options(columns=columns))
    assert [turn.content for turn in example.messages] == [JOINED, "a"]
    report = check_dataset(path, read_options(columns=columns))
    assert report.columns == {"mapped": {"instruction": "指示+問題文+選択肢", "output": "回答"}, "ignored": []}


def test_a_name_with_a_plus_in_it_wins() -> None:
    assert columns_named("C++", ["C++", "C", "+"]) == ("C++",)
    assert columns_named("a+b", ["a+b", "a", "b"]) == ("a+b",)
    assert columns_named("a+b+c", ["a+b", "c", "a"]) == ("a+b", "c")
    assert columns_named("a+C++", ["a", "C++"]) == ("a", "C++")
    assert columns_named("a + b", ["a", "b"]) == ("a", "b")
    assert columns_named("a+x", ["a", "b"]) == ()


def test_a_joined_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("指示,回答\na,b\n", encoding="utf-8")
    with pytest.raises(DatasetError) as raised:
        list(iter_examples(path, read_options(columns={"instruction": "指示+問題分"})))
    assert raised.value.code == "mapped_column_missing"


def test_blank_parts_leave_no_heading() -> None:
    reader = RowReader(None, {"instruction": "a+b", "output": "c"})
    example, _ = reader.read(RawRow(1, 1, {"a": "x", "b": " ", "c": "y"}))
    assert example is not None and example.messages[0].content == "a:\nx"
    example, _ = reader.read(RawRow(1, 1, {"a": "x", "b": None, "c": "y"}))
    assert example is not None and example.messages[0].content == "a:\nx"
    example, problems = reader.read(RawRow(1, 1, {"a": "x", "b": 3, "c": "y"}))
    assert example is None and problems[0].code == "question_not_text"


@pytest.mark.parametrize("column", [["a", "b"], None, 3, " "])
def test_a_column_is_a_text(column: Any) -> None:
    with pytest.raises(ConfigError) as raised:
        read_options(columns={"instruction": column})
    assert raised.value.code == "column_not_text"


def test_columns_without_a_value_are_absent() -> None:
    assert set(SYNONYMS) >= {"instruction", "output"}
    reader = RowReader(None, {})
    filled = {"question": None, "answer": None, "instruction": None, "output": None}
    for names in (("question", "answer"), ("instruction", "output")):
        example, problems = reader.read(RawRow(1, 1, {**filled, **dict.fromkeys(names, "x")}))
        assert problems == []
        assert example is not None
    _, (problem,) = reader.read(RawRow(1, 1, {"質問": "a", "回答": None}))
    assert (problem.code, problem.field) == ("missing_answer", "回答")


def test_turns_filled_with_null_are_read_by_what_is_there() -> None:
    empty = {"role": None, "content": None, "from": None, "value": None, "weight": None, "name": None}
    turns = [{**empty, "from": "human", "value": "a"}, None, {**empty, "role": "assistant", "content": "b"}]
    reader = RowReader(None, {})
    example, problems = reader.read(RawRow(1, 1, {"conversations": turns, "messages": None, "system": None}))
    assert problems == []
    assert example is not None
    assert [(turn.role, turn.content) for turn in example.messages] == [("user", "a"), ("assistant", "b")]
    assert list(reader.ignored) == []


@pytest.mark.parametrize("write", [json.dumps, repr], ids=["json", "python"])
@pytest.mark.parametrize("name", ["messages", "conversations"])
def test_a_cell_may_hold_the_messages(tmp_path: Path, write: Any, name: str) -> None:
    turns = [{"role": "user", "content": 'a "x", y'}, {"role": "assistant", "content": "b\nc"}]
    cell = write(turns).replace('"', '""')
    path = tmp_path / "a.csv"
    path.write_text(f'id,{name}\n1,"{cell}"\n2,"[broken"\n', encoding="utf-8")
    report = check_dataset(path)
    assert (report.num_examples, report.counts["messages_not_list"]) == (1, 1)


def test_parts_of_text_are_joined() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "image_url": None}]
    turns = [{"role": "user", "content": parts}, {"role": "assistant", "content": [{"type": "text", "text": "c"}]}]
    example, problems = RowReader(None, {}).read(RawRow(1, 1, {"messages": turns}))
    assert problems == []
    assert example is not None
    assert [turn.content for turn in example.messages] == ["a\nb", "c"]
