"""Conversion: the canonical form, nothing lost without a word, the same choice every time, whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import ConfigError, Conflict, DatasetError, NotFound
from llmlora.data import convert
from llmlora.data.convert import ConvertReport, convert_dataset, eval_path, without_formula
from llmlora.data.read import ReadOptions, iter_examples


def table(folder: Path, *rows: tuple[str, str], name: str = "in.csv") -> Path:
    path = folder / name
    stream = io.StringIO()
    csv.writer(stream).writerows([("質問", "回答"), *rows])
    path.write_text(stream.getvalue(), encoding="utf-8")
    return path


def converted(path: Path, output: str = "out.jsonl", **choices: Any) -> tuple[ConvertReport, list[dict[str, Any]]]:
    report = convert_dataset(path, path.parent / output, **choices)
    return report, [json.loads(line) for line in report.output.read_text(encoding="utf-8").split("\n")[:-1]]


def failure(path: Path, output: str = "out.jsonl", **choices: Any) -> str:
    with pytest.raises((ConfigError, Conflict, DatasetError)) as raised:
        convert_dataset(path, path.parent / output, **choices)
    return raised.value.code


def test_the_canonical_form(tmp_path: Path) -> None:
    report, rows = converted(table(tmp_path, ("料金は？", "980円です。")))
    turns = [{"role": "user", "content": "料金は？"}, {"role": "assistant", "content": "980円です。"}]
    assert rows == [{"messages": turns}]
    assert (report.num_read, report.num_written, report.dropped) == (1, 1, ())


def test_converting_twice_changes_nothing(tmp_path: Path) -> None:
    rows = ['{"prompt": "a", "completion": "b"}', '{"prompt": "", "completion": "か\u3099\\u0000"}']
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(rows), encoding="utf-8")
    first, _ = converted(source, "first.jsonl")
    second, _ = converted(first.output, "second.jsonl")
    assert first.output.read_bytes() == second.output.read_bytes()
    assert [one.to_dict() for one in iter_examples(source)] == [one.to_dict() for one in iter_examples(second.output)]


CALL = {"type": "function", "function": {"name": "料金", "arguments": {}}}


def test_conversations_keep_their_calls_and_say_what_they_lose(tmp_path: Path) -> None:
    turns = [
        {"role": "user", "content": "料金は？", "name": "taro"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "料金"}}]},
        {"role": "tool", "content": "980", "tool_call_id": "1"},
        {"from": "gpt", "value": "980円です。"},
    ]
    source = tmp_path / "in.jsonl"
    source.write_text(json.dumps({"messages": turns, "id": 7}), encoding="utf-8")
    report, rows = converted(source, "first.jsonl")
    assert rows[0]["messages"] == [
        {"role": "user", "content": "料金は？", "name": "taro"},
        {"role": "assistant", "content": "", "tool_calls": [CALL]},
        {"role": "tool", "content": "980", "tool_call_id": "1"},
        {"role": "assistant", "content": "980円です。"},
    ]
    assert report.ignored_columns == ("id",)
    second, _ = converted(report.output, "second.jsonl")
    assert report.output.read_bytes() == second.output.read_bytes()
    assert second.ignored_columns == ()


def test_texts_are_never_altered(tmp_path: Path) -> None:
    texts = [
        "か\u3099\u200b",
        "0010010",
        "NA",
        " 前後 ",
        "a\r\nb\rc",
        "\\n\\u0041",
        "\u2028\x85\ufeff𠮷",
        "'=1+1",
        "1e5\t",
    ]
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(json.dumps({"質問": text, "回答": f"{text}。"}) for text in texts), encoding="utf-8")
    _, rows = converted(source, "a.jsonl")
    assert [turn["content"] for row in rows for turn in row["messages"]] == [
        found for text in texts for found in (text, f"{text}。")
    ]
    raw = convert_dataset(source, tmp_path / "a.csv", raw=True).output
    assert [one.to_dict() for one in iter_examples(raw)] == rows


def test_rows_left_out_are_told_in_words(tmp_path: Path) -> None:
    path = table(tmp_path, ("a", "b"), ("a", "b"), ("c", ""))
    report = convert_dataset(path, tmp_path / "a.jsonl", deduplicate=True, drop_invalid=True)
    assert [row["code"] for row in report.dropped] == ["duplicate", "blank_answer"]
    assert all(row["message"] and row["message"] != row["code"] for row in report.dropped)


def test_a_long_or_missing_name_is_no_crash(tmp_path: Path) -> None:
    for path in (tmp_path / ("あ" * 100), tmp_path / "none.csv", tmp_path):
        with pytest.raises(NotFound):
            convert_dataset(path, tmp_path / "out.jsonl")


@pytest.mark.parametrize("name", ["あ" * 100 + ".jsonl", "file/out.jsonl"])
def test_an_output_that_cannot_be_written(tmp_path: Path, name: str) -> None:
    path = table(tmp_path, ("a", "b"))
    (tmp_path / "file").write_text("", encoding="utf-8")
    before = sorted(tmp_path.iterdir())
    assert failure(path, name) == "output_unwritable"
    assert sorted(tmp_path.iterdir()) == before


def test_bad_rows_stop_it_or_are_listed(tmp_path: Path) -> None:
    path = table(tmp_path, ("a", "b"), ("c", ""), ("", "d"), ("e", "f"))
    assert failure(path) == "dataset_has_errors"
    assert not (tmp_path / "out.jsonl").exists()
    report, rows = converted(path, drop_invalid=True)
    assert len(rows) == 2
    assert [(row["line"], row["row"], row["code"]) for row in report.dropped] == [
        (3, 2, "blank_answer"),
        (4, 3, "blank_question"),
    ]
    assert report.num_invalid == 2


def test_a_broken_file_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "in.json"
    path.write_text('[{"text": "a"}, {"te', encoding="utf-8")
    assert failure(path, drop_invalid=True) == "truncated_file"
    assert list(tmp_path.iterdir()) == [path]


def test_repeated_rows(tmp_path: Path) -> None:
    path = table(tmp_path, ("a", "b"), ("c", "d"), ("a", "b"), ("a", "B"), ("a", "b"))
    report, rows = converted(path, deduplicate=True)
    assert [row["messages"][1]["content"] for row in rows] == ["b", "d", "B"]
    assert (report.num_duplicates, [row["line"] for row in report.dropped]) == (2, [4, 6])


def test_samples_are_repeatable_and_keep_their_order(tmp_path: Path) -> None:
    path = table(tmp_path, *[(f"q{number:03}", "a") for number in range(200)])
    report, rows = converted(path, "one.jsonl", sample=20, seed=1)
    assert (len(rows), report.num_sampled_out) == (20, 180)
    questions = [row["messages"][0]["content"] for row in rows]
    assert questions == sorted(questions)
    assert converted(path, "two.jsonl", sample=20, seed=1)[1] == rows
    assert converted(path, "three.jsonl", sample=20, seed=2)[1] != rows
    assert len(converted(path, "four.jsonl", sample=999)[1]) == 200


def test_a_split_holds_out_rows_and_their_copies(tmp_path: Path) -> None:
    path = table(tmp_path, *[(f"q{number % 50}", "a") for number in range(100)])
    report, rows = converted(path, split=0.2, seed=4)
    assert report.eval_output == tmp_path / "out.eval.jsonl"
    held = [json.loads(line) for line in report.eval_output.read_text(encoding="utf-8").splitlines()]
    assert (len(rows), len(held), report.num_written, report.num_eval) == (80, 20, 80, 20)
    assert not {json.dumps(row) for row in rows} & {json.dumps(row) for row in held}


def test_held_out_rows_of_an_earlier_split_are_named_and_left_alone(tmp_path: Path) -> None:
    path = table(tmp_path, *[(f"q{number}", "a") for number in range(10)])
    assert converted(path, split=0.2)[0].other_eval is None
    before = (tmp_path / "out.eval.jsonl").read_bytes()
    report, rows = converted(path, overwrite=True)
    assert (len(rows), report.eval_output, report.other_eval) == (10, None, tmp_path / "out.eval.jsonl")
    assert report.to_dict()["other_eval"] == str(tmp_path / "out.eval.jsonl")
    assert (tmp_path / "out.eval.jsonl").read_bytes() == before
    assert converted(path, split=0.5, overwrite=True)[0].other_eval is None
    assert converted(path, "alone.jsonl")[0].other_eval is None


def test_tables_are_safe_to_open_and_can_be_read_again(tmp_path: Path) -> None:
    path = table(tmp_path, ("=1+1", "-5℃です"), ("@a", "＝合計"), ("普通", "改行\n引用\"'"))
    report = convert_dataset(path, tmp_path / "safe.csv")
    cells = [[one.messages[0].content, one.messages[1].content] for one in iter_examples(report.output)]
    assert cells == [["'=1+1", "'-5℃です"], ["'@a", "'＝合計"], ["普通", "改行\n引用\"'"]]
    raw = convert_dataset(path, tmp_path / "raw.csv", raw=True)
    assert [one.to_dict() for one in iter_examples(raw.output)] == [one.to_dict() for one in iter_examples(path)]
    assert report.output.read_bytes().startswith(b"\xef\xbb\xbf")


@pytest.mark.parametrize(
    ("row", "header"),
    [
        ({"prompt": "", "completion": "b"}, "prompt,completion"),
        ({"text": "a,b"}, "text"),
        ({"system": "s", "instruction": "a", "output": "b"}, "instruction,output,system"),
    ],
)
def test_every_format_that_fits_becomes_a_table(tmp_path: Path, row: dict[str, str], header: str) -> None:
    path = tmp_path / "in.jsonl"
    path.write_text((json.dumps(row) + "\n") * 2, encoding="utf-8")
    report = convert_dataset(path, tmp_path / "out.csv", raw=True)
    assert report.output.read_text(encoding="utf-8-sig").split("\n")[0] == header
    assert [one.to_dict() for one in iter_examples(report.output)] == [one.to_dict() for one in iter_examples(path)]


def test_blank_rows_are_listed_and_no_error(tmp_path: Path) -> None:
    report, rows = converted(table(tmp_path, ("a", "b"), ("", " "), ("c", "d")))
    assert len(rows) == 2
    assert [(row["line"], row["code"]) for row in report.dropped] == [(3, "blank_row")]
    assert (report.num_read, report.num_invalid) == (3, 0)


def test_of_very_many_rows_left_out_the_first_are_listed(tmp_path: Path) -> None:
    report, _ = converted(table(tmp_path, *[("a", "b")] * 1500), deduplicate=True)
    assert (report.num_written, report.num_duplicates, len(report.dropped)) == (1, 1499, 1000)


@pytest.mark.parametrize("seed", range(6))
def test_every_row_goes_to_exactly_one_place(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    pairs = [(f"q{chance.randrange(40)}", chance.choice(["a", "b", ""])) for _ in range(120)]
    path = table(tmp_path, *pairs)
    report, rows = converted(
        path, deduplicate=True, drop_invalid=True, sample=chance.randint(10, 60), split=chance.random() * 0.8 + 0.1,
        seed=seed,
    )  # fmt: skip
    held = [json.loads(line) for line in (tmp_path / "out.eval.jsonl").read_text(encoding="utf-8").splitlines()]
    found = [tuple(turn["content"] for turn in row["messages"]) for row in (*rows, *held)]
    valid = dict.fromkeys(pair for pair in pairs if pair[1])
    assert len(set(found)) == len(found)
    assert set(found) <= set(valid)
    counted = report.num_written + report.num_eval + report.num_invalid + report.num_duplicates + report.num_sampled_out
    assert counted == report.num_read == len(pairs)
    assert (report.num_written, report.num_eval) == (len(rows), len(held))
    order = list(valid)
    for part in (found[: len(rows)], found[len(rows) :]):
        assert part == sorted(part, key=order.index), "the order of the file is kept"


@pytest.mark.parametrize("cell", ["=1", "+1", "-1", "@a", "\ta", "\ra", "＝1"])
def test_formulas(cell: str) -> None:
    assert without_formula(cell) == f"'{cell}"
    assert without_formula(f"a{cell}") == f"a{cell}"


def test_conversations_do_not_fit_into_tables(tmp_path: Path) -> None:
    turns = [{"role": role, "content": "a"} for role in ("user", "assistant") * 2]
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"messages": turns}), encoding="utf-8")
    assert failure(path, "out.csv") == "not_tabular"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = table(tmp_path, ("a", "b"), ("c", "d"))
    (tmp_path / "out.jsonl").write_text("mine", encoding="utf-8")
    assert failure(path) == "output_exists"
    assert (tmp_path / "out.jsonl").read_text(encoding="utf-8") == "mine"
    assert len(converted(path, overwrite=True)[1]) == 2
    assert failure(path, "in.csv", overwrite=True) == "output_is_input"
    (tmp_path / "new.eval.jsonl").write_text("mine", encoding="utf-8")
    assert failure(path, "new.jsonl", split=0.5) == "output_exists"


@pytest.mark.parametrize(
    ("output", "choices", "code"),
    [
        ("out.xlsx", {}, "output_suffix"),
        ("out", {}, "output_suffix"),
        ("out.jsonl", {"split": 0.0 - 1}, "invalid_fraction"),
        ("out.jsonl", {"split": 1.0}, "invalid_fraction"),
        ("out.jsonl", {"sample": 0}, "invalid_sample"),
    ],
)
def test_impossible_choices(tmp_path: Path, output: str, choices: dict[str, Any], code: str) -> None:
    assert failure(table(tmp_path, ("a", "b")), output, **choices) == code


def test_other_encodings_become_utf8(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes("質問,回答,備考\nこれは何ですか,それはペンです,メモ\n".encode("cp932"))
    report, rows = converted(path)
    assert rows[0]["messages"][1]["content"] == "それはペンです"
    assert (report.encoding, report.ignored_columns) == ("cp932", ("備考",))
    assert convert_dataset(path, tmp_path / "b.jsonl", ReadOptions(columns={"output": "備考"})).num_written == 1


def test_nothing_left(tmp_path: Path) -> None:
    assert failure(table(tmp_path, ("a", "")), drop_invalid=True) == "no_rows_left"


def test_where_held_out_rows_go() -> None:
    assert eval_path(Path("x/data.v2.jsonl")) == Path("x/data.v2.eval.jsonl")


def together(*calls: Callable[[], Any]) -> list[str]:
    """Run conversions at once and return "done" or the code of the error of each."""
    barrier = threading.Barrier(len(calls))

    def one(call: Callable[[], Any]) -> str:
        barrier.wait()
        try:
            call()
        except Conflict as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(one, calls))


@pytest.mark.parametrize("choices", [{}, {"overwrite": True}, {"split": 0.3}, {"split": 0.3, "overwrite": True}])
def test_two_conversions_into_one_file_never_lose_or_mix_a_result(tmp_path: Path, choices: dict[str, Any]) -> None:
    tables = [table(tmp_path, *((f"{n} {i}", f"{n}") for i in range(40)), name=f"{n}.csv") for n in range(3)]
    out = tmp_path / "out.jsonl"
    reports: list[ConvertReport] = []

    for _ in range(8):
        calls = [lambda path=path: reports.append(convert_dataset(path, out, **choices)) for path in tables]
        reports.clear()
        results = together(*calls)
        assert set(results) <= {"done", "output_busy", "output_exists"}
        assert results.count("done") == len(reports) >= 1
        if not choices.get("overwrite"):
            assert len(reports) == 1, "what one was told to have written, no other may replace"
        files = [out, eval_path(out)] if "split" in choices else [out]
        rows = [[example.messages[1].content for example in iter_examples(file)] for file in files]
        assert len({answer for file in rows for answer in file}) == 1, "all rows are those of one writer"
        assert sum(map(len, rows)) == 40
        for file in files:
            file.unlink()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0.csv", "1.csv", "2.csv"]


def test_a_file_that_another_program_made_meanwhile_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = table(tmp_path, ("a", "b")), tmp_path / "out.jsonl"
    write = convert._JsonLines.write

    def late(writer: Any, example: Any) -> None:
        out.write_text("theirs", encoding="utf-8")
        write(writer, example)

    monkeypatch.setattr(convert._JsonLines, "write", late)
    assert failure(path) == "output_exists"
    assert out.read_text(encoding="utf-8") == "theirs"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["in.csv", "out.jsonl"]
