"""Files become examples: the same rows in every layout and encoding give the same examples."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import ConfigError, DatasetError, DatasetRowError, NotFound
from llmlora.core.examples import Example
from llmlora.core.locale import error_texts, spoken_error
from llmlora.data.read import ReadOptions, Source, iter_examples
from llmlora.data.validate import check_dataset
from unprivileged import open_folder, unprivileged

ROWS = [
    {"instruction": "営業時間は何時までですか？", "output": "夜の8時までです。\n日曜日は6時までです。"},
    {"instruction": "定休日は、いつですか？", "output": '毎週"水曜日"がお休みです。'},
    {"instruction": "送料はいくらですか？", "output": "全国どこでも\\500です。"},
]
EXPECTED = [(row["instruction"], row["output"]) for row in ROWS]


def as_table(delimiter: str) -> str:
    def cell(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [[row["instruction"], row["output"]] for row in ROWS]
    return "\n".join(delimiter.join(map(cell, line)) for line in [["質問", "回答"], *lines]) + "\n"


LAYOUTS = {
    "data.jsonl": "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS),
    "ascii.jsonl": "".join(json.dumps(row) + "\n" for row in ROWS),
    "data.json": json.dumps(ROWS, ensure_ascii=False),
    "pretty.json": json.dumps(ROWS, ensure_ascii=False, indent=2),
    "wrapped.json": json.dumps({"name": "a", "rows": ROWS, "n": 3}, ensure_ascii=False, indent=1),
    "data.csv": as_table(","),
    "data.tsv": as_table("\t"),
    "semicolon.csv": as_table(";"),
}


def read(path: Path, **options: object) -> list[Example]:
    return list(iter_examples(path, ReadOptions(**options)))  # type: ignore[arg-type]


def code_of(path: Path, **options: object) -> str:
    with pytest.raises(DatasetError) as raised:
        read(path, **options)
    return raised.value.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16"])
@pytest.mark.parametrize("name", LAYOUTS)
def test_every_layout_in_every_encoding(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    path.write_bytes(LAYOUTS[name].encode(encoding))
    examples = read(path)
    assert [(one.messages[0].content, one.messages[1].content) for one in examples] == EXPECTED
    assert [one.row for one in examples] == [1, 2, 3]


def test_lines_are_physical_lines(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('質問,回答\n"a\nb\nc",d\n\ne,f\n', encoding="utf-8")
    assert [(one.row, one.line) for one in read(path)] == [(1, 2), (2, 6)]
    path = tmp_path / "a.json"
    path.write_text('\n[\n{"text":"a"},\n\n{"text":\n"b"}]', encoding="utf-8")
    assert [(one.row, one.line) for one in read(path)] == [(1, 3), (2, 5)]
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"text":"a"}\n\n{"text":"b"}', encoding="utf-8")
    assert [(one.row, one.line) for one in read(path)] == [(1, 2), (2, 4)]


def test_paragraphs_of_plain_text(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("\n 一行目\n二行目\n\u3000\n\n三行目\n", encoding="utf-8")
    assert [(one.row, one.line, one.text) for one in read(path)] == [(1, 2, " 一行目\n二行目"), (2, 6, "三行目")]


def test_the_first_bad_row_stops_reading_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text":"a"}\n{"text":3}\n', encoding="utf-8")
    examples = iter_examples(path, ReadOptions())
    assert next(examples).text == "a"
    with pytest.raises(DatasetRowError) as raised:
        next(examples)
    assert raised.value.exit_code == 4
    assert {"line": 2, "row": 2, "field": "text"}.items() <= raised.value.params.items()


def test_a_source_can_be_read_again(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(LAYOUTS["wrapped.json"], encoding="utf-8")
    source = Source(path, ReadOptions())
    assert list(source.rows()) == list(source.rows())
    assert (source.list_key, source.other_members) == ("rows", ("name", "n"))


def test_options(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("見出し,内容\na,b\nc,d\n", encoding="utf-8")
    assert code_of(path) == "unknown_columns"
    mapped = read(path, columns={"instruction": "見出し", "output": "内容"})
    assert [one.messages[1].content for one in mapped] == ["b", "d"]
    assert read(path, columns={"text": "内容"})[0].text == "b"
    assert code_of(path, columns={"instruction": "なし", "output": "内容"}) == "mapped_column_missing"
    assert code_of(path, max_bytes=10) == "file_too_large"
    assert code_of(path, columns={"text": "内容"}, max_rows=1) == "too_many_rows"
    with pytest.raises(ConfigError):
        read(path, columns={"foo": "内容"})
    with pytest.raises(ConfigError):
        read(path, encoding="klingon")


def test_a_forced_encoding_reads_what_is_ambiguous(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("指示,出力\n東京,大阪\n".encode("euc_jp"))
    assert code_of(path) == "encoding_ambiguous"
    assert read(path, encoding="euc_jp")[0].messages[1].content == "大阪"


def test_what_is_no_file(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none.jsonl"):
        with pytest.raises(NotFound):
            read(path)
    pipe, circle, broken = (tmp_path / name for name in ("pipe.jsonl", "circle.jsonl", "broken.jsonl"))
    os.mkfifo(pipe)
    circle.symlink_to(circle)
    broken.symlink_to(tmp_path / "none.jsonl")
    codes = {}
    for path in (pipe, circle, broken, tmp_path, Path(""), Path("/dev/null"), Path("あ" * 200), Path("a\0b")):
        with pytest.raises(NotFound) as raised:
            read(path)
        codes[str(path)[-12:]] = raised.value.code
    assert list(codes.values()) == [
        "not_a_file", "file_not_found", "file_not_found", "not_a_file", "not_a_file", "not_a_file", "file_not_found",
        "file_not_found",
    ]  # fmt: skip


def test_a_file_that_may_not_be_read() -> None:
    with open_folder() as folder:
        path = folder / "a.jsonl"
        path.write_text('{"text":"a"}', encoding="utf-8")
        path.chmod(0)
        with unprivileged():
            assert code_of(path) == "unreadable_file"


@pytest.mark.parametrize("step", ["stat", "open"])
def test_a_file_that_the_system_refuses_at_any_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text":"a"}', encoding="utf-8")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os if step == "stat" else Path, step, refuse)
    with pytest.raises(DatasetError) as raised:
        read(path)
    monkeypatch.undo()
    assert (raised.value.code, raised.value.params["detail"]) == ("unreadable_file", "Permission denied")


def test_all_bad_rows_are_named_together(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text":"a"}\n{"text":3}\n{"text":"b"}\nx\n{"text":""}\n', encoding="utf-8")
    examples = iter_examples(path)
    assert next(examples).text == "a"
    with pytest.raises(DatasetRowError) as raised:
        next(examples)
    params = raised.value.params
    assert (raised.value.code, params["count"], params["listed"]) == ("rows_with_errors", 3, "2, 4, 5")
    assert (params["line"], params["row"], params["first_code"]) == (2, 2, "answer_not_text")
    path.write_text('{"text":""}\n' * 50, encoding="utf-8")
    with pytest.raises(DatasetRowError) as raised:
        read(path)
    assert (raised.value.params["count"], raised.value.params["listed"].endswith("19, 20, …")) == (50, True)


def test_a_bad_row_before_a_broken_end_is_named_with_it(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('[\n{"text":""},\n{"text":"a"},\n{"te', encoding="utf-8")
    with pytest.raises(DatasetRowError) as raised:
        read(path)
    assert (raised.value.params["count"], raised.value.params["listed"]) == (2, "2, 4")


def test_a_file_without_usable_rows_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("質問,回答\n,\n", encoding="utf-8")
    assert code_of(path) == "no_records"


@pytest.mark.parametrize("count", [1, 3])
def test_leaving_rows_out_is_no_advice_where_none_would_remain(tmp_path: Path, count: int) -> None:
    """The next step is that of the first row instead; a check says the same, and offers no repair."""
    path = tmp_path / "data.jsonl"
    path.write_text('{"input": "q", "target": "a"}\n' * count, encoding="utf-8")
    with pytest.raises(DatasetRowError, match="missing_answer" if count == 1 else "no_row_trainable") as caught:
        list(iter_examples(path))
    hint = error_texts(caught.value)["hint"]
    assert "--map output=target" in hint
    assert "--drop-invalid" not in hint
    report = check_dataset(path)
    found = [problem.to_dict() for problem in report.problems if problem.level == "error"]
    assert [(problem["hint"], problem["action"]) for problem in found] == [(hint, None)] * count
    with path.open("a", encoding="utf-8") as stream:
        stream.write('{"instruction": "q", "output": "a"}\n')
    found = [problem.to_dict() for problem in check_dataset(path).problems if problem.level == "error"]
    assert all("--drop-invalid" in problem["hint"] for problem in found)
    assert all(problem["action"]["values"] == {"actions": ["drop_invalid"]} for problem in found)


def test_pairs_of_answers_are_named_with_what_keeps_the_better_one(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('{"prompt": "q", "chosen": "a", "rejected": "b"}\n' * 2, encoding="utf-8")
    with pytest.raises(DatasetRowError, match="no_row_trainable") as caught:
        list(iter_examples(path))
    assert "--keep chosen" in error_texts(caught.value)["hint"]
    assert spoken_error(caught.value)["action"] == {"name": "repair_dataset", "values": {"actions": ["keep_chosen"]}}


@pytest.mark.parametrize(
    "table",
    [{"instruction": ["a", "b"], "output": ["c", None]}, {"質問": {"0": "a", "1": "b"}, "回答": {"0": "c", "1": "d"}}],
)
def test_a_table_by_columns_is_named(tmp_path: Path, table: dict[str, Any]) -> None:
    path = tmp_path / "table.json"
    path.write_text(json.dumps(table), encoding="utf-8")
    with pytest.raises(DatasetError, match="table_by_columns"):
        list(iter_examples(path))


def test_lists_of_turns_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "row.json"
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    for row in ({"messages": turns, "tools": []}, {"prompt": turns[:1], "completion": turns[1:]}):
        path.write_text(json.dumps(row), encoding="utf-8")
        assert len(list(iter_examples(path))) == 1
