"""Raw text becomes rows by rule, word for word; what no rule takes is named by its line and never made up."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest

from llmlora.core.errors import DatasetError
from llmlora.data.convert import convert_dataset
from llmlora.data.problems import Problem
from llmlora.data.raw import RawRow
from llmlora.data.raw_text import question_rows
from llmlora.data.read import read_options
from llmlora.data.validate import check_dataset

MANUAL = """\
# みどり堂の手引き

開店前に読むこと。

## 営業時間

平日は10時から19時までです。

土日は18時に閉めます。

## よくある質問

質問：送料はいくらですか？
回答：500円です。
次の場合は無料です。

- 5,000円以上

Q2. 返品できますか？

A2. 14日以内ならできます。

---

作成: 総務課
"""


def rows(text: str) -> list[tuple[int | None, str, str]]:
    """Return line, question and answer of each row."""
    found = [item for item in question_rows(io.StringIO(text, newline="")) if isinstance(item, RawRow)]
    return [(row.line, row.value["instruction"], row.value["output"]) for row in found]


def findings(text: str) -> list[tuple[int | None, str]]:
    found = [item for item in question_rows(io.StringIO(text, newline="")) if isinstance(item, Problem)]
    return [(problem.line, problem.code) for problem in found]


def test_a_manual_becomes_its_questions_and_headings() -> None:
    assert rows(MANUAL) == [
        (1, "みどり堂の手引き", "開店前に読むこと。"),
        (5, "営業時間", "平日は10時から19時までです。\n\n土日は18時に閉めます。"),
        (13, "送料はいくらですか？", "500円です。\n次の場合は無料です。\n\n- 5,000円以上"),
        (19, "返品できますか？", "14日以内ならできます。"),
    ]
    assert findings(MANUAL) == [(11, "heading_without_text"), (25, "text_without_question")]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("質問: 何時？", "回答: 9時"),
        ("質問：何時？", "答え：9時"),
        ("問1: 何時？", "答1: 9時"),
        ("Q: 何時？", "A: 9時"),
        ("Q１．何時？", "A１．9時"),
        ("  q: 何時？", "  a: 9時"),
        ("Question: 何時？", "Answer: 9時"),
    ],
)
def test_how_questions_and_answers_are_marked(question: str, answer: str) -> None:
    assert rows(f"{question}\n{answer}\n") == [(1, "何時？", "9時")]
    assert rows(f"{question}\r\n\r\n{answer}") == [(1, "何時？", "9時")]


@pytest.mark.parametrize("heading", ["# 料金", "###  料金 ###", "■料金", "◆ 料金", "【料金】", "  ● 料金"])
def test_how_headings_are_marked(heading: str) -> None:
    assert rows(f"{heading}\n500円です。\n") == [(1, "料金", "500円です。")]


@pytest.mark.parametrize(
    "text", ["#タグ", "【お知らせ】明日は休みです。", "Quality: 良い", "A: 500円", "1. 500円", "- 500円"]
)
def test_what_only_looks_like_a_mark_is_text(text: str) -> None:
    assert rows(text) == []
    assert findings(f"\n{text}") == [(2, "text_without_question")]


def test_long_questions_and_questions_without_an_answer() -> None:
    text = "質問: 次のうち\n正しいのは？\nA: 二つめ\nQ: 三つめは？\n\n# 見出し\nあります\nQ: 最後は？"
    assert rows(text) == [(1, "次のうち\n正しいのは？", "二つめ"), (6, "見出し", "あります")]
    assert findings(text) == [(4, "question_without_answer"), (8, "question_without_answer")]


def test_marks_inside_a_block_of_code_are_code() -> None:
    text = "## 設定\n```sh\n# 一行目\nQ: これは出力\n```\n以上です。\n"
    assert rows(text) == [(1, "設定", "```sh\n# 一行目\nQ: これは出力\n```\n以上です。")]


def test_a_block_of_code_before_the_first_mark_is_code() -> None:
    assert rows("```\n# no heading\n```\nQ: a\nA: b\n") == [(4, "a", "b")]


def test_a_long_text_without_marks_is_read_once() -> None:
    began = time.process_time()
    assert findings("\n" + "a line of a novel\n" * 50_000) == [(2, "text_without_question")]
    assert time.process_time() - began < 5


def test_an_empty_answer_is_found_as_in_any_file(tmp_path: Path) -> None:
    report = checked(tmp_path, "Q: 何時？\nA:\nQ: 何日？\nA: 三日\n")
    assert (report.ok, report.num_examples) == (False, 1)
    assert [problem.line for problem in report.problems if problem.level == "error"] == [1]


def test_lines_that_cannot_be_read_are_named() -> None:
    assert findings("Q: a\nA: b\0c\n")[0] == (2, "nul_byte")


@pytest.mark.parametrize("text", ["", "\n\n \n", "---\n"])
def test_nothing_gives_nothing(text: str) -> None:
    assert list(question_rows(io.StringIO(text, newline=""))) == []


def checked(folder: Path, text: str):
    path = folder / "manual.md"
    path.write_text(text, encoding="utf-8")
    return check_dataset(path, read_options("instruction"))


def test_every_text_of_the_file_is_in_a_row_or_in_a_finding(tmp_path: Path) -> None:
    report = checked(tmp_path, MANUAL)
    assert (report.ok, report.num_examples, report.format) == (False, 4, "instruction")
    assert {(problem.line, problem.code) for problem in report.problems} >= set(findings(MANUAL))
    assert "text_paragraphs" not in {problem.code for problem in report.problems}


def test_conversion_refuses_first_and_lists_what_it_leaves_out(tmp_path: Path) -> None:
    source, output = tmp_path / "manual.txt", tmp_path / "rows.jsonl"
    source.write_text(MANUAL, encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        convert_dataset(source, output, read_options("instruction"))
    assert caught.value.params["line"] == 25
    report = convert_dataset(source, output, read_options("instruction"), drop_invalid=True)
    assert (report.num_written, report.num_invalid, report.num_kept_out) == (4, 1, 1)
    assert [(row["line"], row["code"]) for row in report.dropped] == findings(MANUAL)
    written = [json.loads(line)["messages"] for line in output.read_text(encoding="utf-8").splitlines()]
    assert written[3] == [
        {"role": "user", "content": "返品できますか？"},
        {"role": "assistant", "content": "14日以内ならできます。"},
    ]


def test_without_asking_for_it_text_stays_text(tmp_path: Path) -> None:
    source = tmp_path / "manual.txt"
    source.write_text(MANUAL, encoding="utf-8")
    report = check_dataset(source, read_options())
    assert report.format == "text"
    assert "--format instruction" in next(item.hint for item in report.problems if item.code == "text_paragraphs")
