"""Questions: read from files, made from rows, chosen alike every time, refused with line and cause."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example, Message
from llmlora.core.job import DataSource
from llmlora.core.publish import sha256_file
from llmlora.evaluation.questions import (
    Question,
    choose,
    load_questions,
    questions_of,
    read_questions,
    rewordings,
)


def write_lines(path: Path, *rows: Any) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def source_of(path: Path) -> DataSource:
    return DataSource(path=str(path), sha256=sha256_file(path))


def test_a_questions_file_is_read(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "q.jsonl",
        {"prompt": "送料は？", "reference": "550円です。", "paraphrases": ["送料はいくら？"], "system": "短く。"},
        {"messages": [{"role": "user", "content": "休みは？"}], "reference": " 水曜日 "},
    )
    first, second = read_questions(path)
    assert [turn.role for turn in first.messages] == ["system", "user"]
    assert (first.text, first.reference, first.paraphrases) == ("送料は？", "550円です。", ("送料はいくら？",))
    assert first.given_text == "短く。\n送料は？"
    assert (second.text, second.reference, second.row) == ("休みは？", "水曜日", 2)


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ("{oops", "questions_not_json", None),
        ("[1]", "questions_not_json", None),
        ('{"prompt": "a"}', "question_incomplete", "reference"),
        ('{"prompt": "a", "reference": ""}', "question_incomplete", "reference"),
        ('{"prompt": 3, "reference": "b"}', "question_incomplete", "prompt"),
        ('{"reference": "b"}', "question_incomplete", "prompt"),
        ('{"messages": [{"role": "assistant", "content": "x"}], "reference": "b"}', "question_incomplete", "prompt"),
        ('{"messages": "x", "reference": "b"}', "question_incomplete", "prompt"),
        ('{"prompt": "a", "reference": "b", "paraphrases": "c"}', "question_incomplete", "paraphrases"),
        ("[" * 100_000, "questions_not_json", None),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: str, code: str, field: str | None) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text('{"prompt": "a", "reference": "b"}\n\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        list(read_questions(path))
    assert (caught.value.code, caught.value.params["line"], caught.value.params.get("field")) == (code, 3, field)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes('{"prompt": "送料", "reference": "b"}\n'.encode("cp932"))
    with pytest.raises(DatasetError) as caught:
        list(read_questions(path))
    assert caught.value.code == "questions_not_utf8"


def test_the_first_line_without_a_reference_is_refused_as_a_question(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "q.jsonl", {"prompt": "a"})
    with pytest.raises(DatasetError) as caught:
        load_questions(path, source_of(path), limit=5)
    assert caught.value.code == "question_incomplete"


def test_rows_become_questions() -> None:
    turns = (Message("system", "s"), Message("user", "u"), Message("assistant", "a"), Message("user", "u2"))
    examples = [
        Example(1, 1, messages=(*turns, Message("assistant", "a2"))),
        Example(2, 2, prompt="p:", completion=" c "),
        Example(3, 3, text="質問: 休みは？\n回答: 水曜日です。"),
        Example(4, 4, text="ただの文章です。"),
        Example(5, 5, messages=(Message("assistant", "hello"),)),
    ]
    chat, completion, text = questions_of(examples)
    assert (chat.messages, chat.reference) == (turns[:2], "a")
    assert (completion.prompt, completion.reference) == ("p:", "c")
    assert (text.prompt, text.reference) == ("質問: 休みは？\n回答: ", "水曜日です。")


def test_a_choice_is_the_same_whatever_the_order() -> None:
    questions = [Question(row, "r", prompt=f"question {row}") for row in range(1, 101)]
    chosen = choose(questions, 10)
    assert [item.text for item in chosen] == [item.text for item in choose(questions, 10)]
    assert {item.text for item in choose(list(reversed(questions)), 10)} == {item.text for item in chosen}
    assert [item.row for item in chosen] == sorted(item.row for item in chosen)
    assert [item.row for item in chosen] != list(range(1, 11))


def test_training_rows_are_the_default(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "data.jsonl", *({"instruction": f"問{n}", "output": f"{n}円"} for n in range(30)))
    asked = load_questions(None, source_of(path), limit=7, system="短く。")
    assert (asked.source, asked.num_available, len(asked.questions)) == ("training_rows", 30, 7)
    assert all(item.messages[0] == Message("system", "短く。") for item in asked.questions)
    assert not asked.has_paraphrases


def test_a_data_file_can_be_asked_too(tmp_path: Path) -> None:
    data = write_lines(tmp_path / "data.jsonl", {"instruction": "a", "output": "b"})
    other = tmp_path / "other.csv"
    other.write_text("質問,回答\n休みは？,水曜日です。\n", encoding="utf-8")
    asked = load_questions(other, source_of(data), limit=5)
    assert (asked.source, asked.questions[0].reference) == ("file", "水曜日です。")


def test_data_without_questions_is_refused(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "data.jsonl", {"text": "ただの文章です。"})
    with pytest.raises(DatasetError) as caught:
        load_questions(None, source_of(path), limit=5)
    assert caught.value.code == "no_questions"


def test_rewritten_questions_differ_and_keep_the_question(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "data.jsonl", {"instruction": "休みはいつですか？", "output": "水曜日です。"})
    (question,) = load_questions(None, source_of(path), limit=5, rewrite=True).questions
    assert len(set(question.paraphrases) | {question.text}) == 4
    assert all("休みはいつ" in text for text in question.paraphrases)
    assert question.reworded("いつ休み？").text == "いつ休み？"
    assert all("when do you close" in text for text in rewordings("when do you close?"))
