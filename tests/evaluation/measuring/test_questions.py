"""Questions: read from files, made from rows, chosen alike every time, refused with line and cause."""

from __future__ import annotations

import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example, Message
from llmlora.core.job import DataSource
from llmlora.core.publish import sha256_file
from llmlora.evaluation.measuring.questions import (
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
    assert (completion.messages, completion.reference) == ((Message("user", "p:"),), "c")
    assert (text.text, text.reference) == ("質問: 休みは？\n回答: ", "水曜日です。")


def test_a_choice_is_the_same_whatever_the_order() -> None:
    questions = [Question(row, "r", (Message("user", f"question {row}"),)) for row in range(1, 101)]
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


@pytest.mark.parametrize(("name", "text"), [
    ("q.csv", "prompt,reference,terms,paraphrases\n"
              "休みは？,水曜日です。,水曜日；定休日,いつ休む？;定休日は？\n茶は？,420円です。,,\n"),
    ("q.tsv", "reference\tterms\tparaphrases\tprompt\n"
              "水曜日です。\t水曜日; 定休日\tいつ休む？; 定休日は？\t休みは？\n420円です。\t\t\t茶は？\n"),
    ("q.json", '[{"prompt": "休みは？", "reference": "水曜日です。", "terms": ["水曜日", "定休日"],'
               ' "paraphrases": ["いつ休む？", "定休日は？"]}, {"prompt": "茶は？", "reference": "420円です。"}]'),
])  # fmt: skip
def test_a_table_has_a_column_of_terms(name: str, text: str, tmp_path: Path) -> None:
    data = write_lines(tmp_path / "data.jsonl", {"instruction": "a", "output": "b"})
    (tmp_path / name).write_text(text, encoding="utf-8")
    first, second = load_questions(tmp_path / name, source_of(data), limit=5).questions
    assert (first.text, first.reference) == ("休みは？", "水曜日です。")
    assert (first.terms, first.paraphrases) == (("水曜日", "定休日"), ("いつ休む？", "定休日は？"))
    assert (second.text, second.terms, second.paraphrases) == ("茶は？", (), ())


def test_a_table_that_asks_needs_every_reference(tmp_path: Path) -> None:
    data = write_lines(tmp_path / "data.jsonl", {"instruction": "a", "output": "b"})
    (tmp_path / "q.csv").write_text("prompt,reference\n休みは？,水曜日です。\n茶は？,\n", encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        load_questions(tmp_path / "q.csv", source_of(data), limit=5)
    assert (caught.value.code, caught.value.params["line"]) == ("question_incomplete", 3)


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


def test_half_a_surrogate_pair_is_refused_with_its_line(tmp_path: Path) -> None:
    """JSON can write it, but no tokenizer and no report can take it."""
    path = tmp_path / "q.jsonl"
    good = '{"prompt": "\\ud83d\\ude42 は？", "reference": "\\u7b11\\u9854"}\n'
    path.write_text(good + '{"prompt": "a", "reference": "b", "paraphrases": ["\\ud83d"]}\n', encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        load_questions(path, source_of(path), limit=5)
    assert (caught.value.code, caught.value.params["line"]) == ("questions_bad_text", 2)
    path.write_text(good, encoding="utf-8")
    (question,) = read_questions(path)
    assert (question.text, question.reference) == ("🙂 は？", "笑顔")


def test_a_line_that_never_ends_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmlora.evaluation.measuring.questions.MAX_LINE_BYTES", 100)
    path = write_lines(tmp_path / "q.jsonl", {"prompt": "a", "reference": "b"}, {"prompt": "a" * 200, "reference": "b"})
    with pytest.raises(DatasetError) as caught:
        list(read_questions(path))
    assert caught.value.code == "question_too_long"
    assert (caught.value.params["line"], caught.value.params["limit"]) == (2, 100)


@pytest.mark.parametrize("text", ["", "\n\n", "\ufeff\n"])
def test_a_file_without_a_question_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DatasetError) as caught:
        load_questions(path, source_of(path), limit=5)
    assert (caught.value.code, caught.value.params["path"]) == ("no_questions", str(path))


def test_a_mark_of_byte_order_and_blank_lines_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(
        '\ufeff{"prompt": "a", "reference": "b"}\r\n\r\n{"prompt": "c", "reference": "d"}', encoding="utf-8"
    )
    assert [(item.row, item.text, item.reference) for item in read_questions(path)] == [(1, "a", "b"), (3, "c", "d")]


def test_ten_thousand_questions_are_chosen_from(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "q.jsonl", *({"prompt": f"問{n}", "reference": f"{n}円"} for n in range(10_000)))
    asked = load_questions(path, source_of(path), limit=20)
    assert (len(asked.questions), asked.num_available) == (20, 10_000)
    assert asked.questions[0].row < 2_000
    assert asked.questions[-1].row > 8_000
    assert asked.to_dict() == {
        "source": "file", "name": "q.jsonl", "num_questions": 20, "num_available": 10_000, "has_paraphrases": False,
    }  # fmt: skip


def test_more_than_can_be_read_at_once_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llmlora.evaluation.measuring.questions.MAX_ROWS_READ", 3)
    path = write_lines(tmp_path / "q.jsonl", *({"prompt": f"q{n}", "reference": "r"} for n in range(10)))
    assert load_questions(path, source_of(path), limit=20).num_available == 3


def test_a_longer_choice_contains_the_shorter_one() -> None:
    questions = [Question(row, "r", (Message("user", f"q{row}"),)) for row in range(200)]
    few, many = ({item.row for item in choose(questions, limit)} for limit in (10, 50))
    assert few < many
    assert choose(questions[:3], 10) == questions[:3]


def test_a_bundled_data_set_brings_its_questions() -> None:
    data = Path(str(resources.files("llmlora"))) / "assets" / "datasets" / "level1_basic_qa.json"
    asked = load_questions(None, source_of(data), limit=3)
    assert (asked.source, asked.name, asked.num_available) == ("bundled", "level1_basic_qa.jsonl", 5)
    assert asked.has_paraphrases
    assert all(len(question.paraphrases) == 2 for question in asked.questions)


def test_a_changed_copy_of_a_bundled_data_set_is_the_users_own(tmp_path: Path) -> None:
    data = Path(str(resources.files("llmlora"))) / "assets" / "datasets" / "level1_basic_qa.json"
    copy = tmp_path / "data.json"  # as the workspace calls it
    copy.write_bytes(data.read_bytes())
    assert load_questions(None, source_of(copy), limit=9).source == "bundled"
    copy.write_bytes(data.read_bytes().replace("380円".encode(), "390円".encode()))
    assert load_questions(None, source_of(copy), limit=9).source == "training_rows"


def test_a_system_message_is_put_before_questions_that_have_none(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "q.jsonl",
        {"prompt": "a", "reference": "b"},
        {"prompt": "c", "reference": "d", "system": "own"},
        {"messages": [{"role": "user", "content": "e"}], "reference": "f"},
    )
    asked = load_questions(path, source_of(path), limit=5, system="given").questions
    assert [item.messages[0] for item in asked] == [
        Message("system", "given"), Message("system", "own"), Message("system", "given"),
    ]  # fmt: skip


def test_raw_prompts_take_no_system_message(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "data.jsonl", {"prompt": "質問: a\n回答:", "completion": " b"})
    (question,) = load_questions(None, source_of(path), limit=5, system="given").questions
    assert question.messages == (Message("user", "質問: a\n回答:"),)
    assert question.reworded("質問: x\n回答:").text == "質問: x\n回答:"
    assert question.given_text == question.text == "質問: a\n回答:"


@pytest.mark.parametrize(
    ("text", "prompt", "reference"),
    [
        ("質問：休みは？\n回答：水曜日です。", "質問：休みは？\n回答：", "水曜日です。"),
        ("Q: open?\nA: At nine.", "Q: open?\nA: ", "At nine."),
        ("問い\n答え: 一つ\n答え: 二つ", "問い\n答え: ", "一つ\n答え: 二つ"),
    ],
)
def test_marked_texts_become_questions(text: str, prompt: str, reference: str) -> None:
    (question,) = questions_of([Example(1, 1, text=text)])
    assert (question.text, question.reference) == (prompt, reference)


@pytest.mark.parametrize("text", ["答え:", "回答:   ", "これは回答です。", "Question: x"])
def test_texts_without_an_answer_are_no_questions(text: str) -> None:
    assert list(questions_of([Example(1, 1, text=text)])) == []


def test_given_paraphrases_are_kept_and_only_missing_ones_are_made(tmp_path: Path) -> None:
    path = write_lines(
        tmp_path / "q.jsonl",
        {"prompt": "休みは？", "reference": "水曜", "paraphrases": ["定休日は？"]},
        {"prompt": "When are you closed?", "reference": "Monday"},
    )
    own, made = load_questions(path, source_of(path), limit=5, rewrite=True).questions
    assert own.paraphrases == ("定休日は？",)
    assert len(set(made.paraphrases)) == 3
    assert not any(re.search(r"[ぁ-ん]", text) for text in made.paraphrases)


@given(st.text(min_size=1, max_size=40))
def test_rewordings_are_three_others_that_hold_the_question(text: str) -> None:
    made = rewordings(text)
    assert len({*made, text}) == 4
    assert sum(text in wording for wording in made) >= 2
