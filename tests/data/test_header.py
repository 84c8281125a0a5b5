"""What a first line is: the names of columns, or a row that must not be lost."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from llmlora.cli.words import columns_of
from llmlora.core.errors import DatasetError
from llmlora.core.locale import set_language
from llmlora.data.header import candidates, kind_of, map_options, proposal
from llmlora.data.problems import Problem, from_exception
from llmlora.data.read import iter_examples, read_options
from llmlora.data.validate import check_dataset


@pytest.mark.parametrize(
    "first",
    [
        ["Question (required)", "Answer text"], ["質問（必須）", "回答欄"], ["ご質問", "お返事"], ["質問？", "備考"],
        ["id", "タイトル", "内容"], ["お問い合わせ内容をご記入ください。", "回答"], ["FAQ Question", "FAQ Answer"],
    ],
)  # fmt: skip
def test_names_of_columns(first: list[str]) -> None:
    assert kind_of(first) == "header"


@pytest.mark.parametrize(
    "first",
    [
        ["甲？", "一です。"], ["営業時間は？", "9時からです。"], ["What is a question?", "An answer."],
        ["この質問は何ですか？", "質問の例です。"], ["営業時間は何時ですか", "9時から18時です"],
        ["教えてください", "はい"], ["長" * 41, "短"], ["こんにちは", "こんにちは！元気ですか"],
    ],
)  # fmt: skip
def test_rows(first: list[str]) -> None:
    assert kind_of(first) == "row"


@pytest.mark.parametrize(
    "first",
    [
        ["東京", "とうきょう"], ["foo", "bar"], ["Q1", "A1"], ["1", "2"], ["回答", "はい"], ["user", "hello"],
        ["説明", "わけを述べる"], ["回答", "はい、できます。"],
    ],
)  # fmt: skip
def test_what_nobody_can_tell(first: list[str]) -> None:
    assert kind_of(first) == "unclear"


@pytest.mark.parametrize(
    ("names", "columns"),
    [
        (["Question (required)", "Answer text"], {"instruction": "Question (required)", "output": "Answer text"}),
        (["回答欄", "質問欄"], {"instruction": "質問欄", "output": "回答欄"}),
        (["id", "foo", "bar"], {"instruction": "foo", "output": "bar"}),
        (["foo", "回答"], {"instruction": "foo", "output": "回答"}),
        (["foo"], {"text": "foo"}),
    ],
)
def test_columns_are_proposed_by_what_their_names_say(names: list[str], columns: dict[str, str]) -> None:
    assert proposal(names) == columns


def hint_of(path: Path) -> tuple[str, str]:
    (problem,) = [problem for problem in check_dataset(path).problems if problem.level == "error"]
    return problem.code, problem.hint


def pasted(hint: str, line: int = 0) -> dict[str, str]:
    """Return what the first command in a hint maps, as a shell and the command line read it."""
    text = next(text for text in hint.splitlines()[line:] if "--map" in text)
    words = shlex.split(text[text.index("--map") :])
    return columns_of([word for option, word in zip(words[::2], words[1::2], strict=False) if option == "--map"])


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize(
    ("rows", "code", "count"),
    [
        (["Question (required),Answer text", "甲？,一です。"], "unknown_columns", 1),
        (["甲？,一です。", "乙？,二です。"], "no_header", 2),
        (['"名前, 住所 (例)？",（😀）です。', "乙？,二です。"], "no_header", 2),
        (["東京,とうきょう", "大阪,おおさか"], "header_unclear", 2),
        (["sep=,", "甲？,一です。", "乙？,二です。"], "no_header", 2),
        (["1,甲？,一です。", "2,乙？,二です。"], "no_header", 2),
        (["甲？,一です。"], "no_header", 1),
        (["はい。,はい。", "いいえ。,いいえ。"], "no_header", 2),
        (["質問はありますか？,メモ,はい。", "乙？,x,二です。"], "no_header", 2),
        (["質問,返し文 (長い)", "甲？,一です。"], "column_missing", 1),
    ],
)
def test_the_command_in_the_hint_works_and_the_first_row_is_there(
    tmp_path: Path, rows: list[str], code: str, count: int, language: str
) -> None:
    set_language(language)
    path = tmp_path / "data.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    found, hint = hint_of(path)
    assert found == code
    examples = list(iter_examples(path, read_options(columns=pasted(hint))))
    assert len(examples) == count
    if count == 2:
        assert examples[0].line == (2 if rows[0] == "sep=," else 1)
        first = rows[-2].split(",")[-1]
        assert examples[0].messages[1].content in (first, "メモ")


def test_a_first_line_may_still_be_taken_as_names(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("東京,とうきょう\n大阪,おおさか\n", encoding="utf-8")
    columns = pasted(hint_of(path)[1], line=1)
    assert [one.messages[0].content for one in iter_examples(path, read_options(columns=columns))] == ["大阪"]


def test_a_known_header_is_no_row_when_columns_go_by_number(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("質問,回答\na,b\n", encoding="utf-8")
    options = read_options(columns={"instruction": "#1", "output": "#2"})
    with pytest.raises(DatasetError) as raised:
        list(iter_examples(path, options))
    assert raised.value.code == "mapped_column_missing"


def test_a_text_with_tabs_is_read_by_number_too(tmp_path: Path) -> None:
    path = tmp_path / "data.txt"
    path.write_text("甲？\t一です。\n乙？\t二です。\n", encoding="utf-8")
    options = read_options(columns={"instruction": "#1", "output": "#2"})
    assert len(list(iter_examples(path, options))) == 2


def test_options_are_quoted() -> None:
    assert map_options({"output": "a b'c (d)"}) == "--map 'output=a b'\"'\"'c (d)'"
    assert isinstance(from_exception(DatasetError("no_header", line=1)), Problem)


@pytest.mark.parametrize(
    "first",
    [
        ["入力ミスの直し方", "戻るキーを押す"], ["question about opening", "nine"], ["input voltage", "5V"],
        ["Answer the phone", "OK"], ["回答期限", "金曜日"], ["a", "b"], ["q", "いいえ"],
    ],
)  # fmt: skip
def test_a_row_about_questions_and_answers_does_not_vanish_as_a_header(tmp_path: Path, first: list[str]) -> None:
    path = tmp_path / "data.csv"
    path.write_text(f"{','.join(first)}\nfoo,bar\n", encoding="utf-8")
    code, hint = hint_of(path)
    assert code == "header_unclear"
    examples = list(iter_examples(path, read_options(columns=pasted(hint))))
    assert [turn.content for turn in examples[0].messages] == first
    assert len(list(iter_examples(path, read_options(columns=pasted(hint, line=1))))) == 1


@pytest.mark.parametrize(
    ("free", "lacking", "expected"),
    [
        (["回答1", "回答2"], "output", ["回答1", "回答2"]),
        (["備考", "模範解答"], "output", ["模範解答"]),
        (["id", "foo", "bar"], "output", ["foo", "bar"]),
        (["wrong_answer", "foo"], "output", ["foo"]),
        (["positive", "negative"], "output", ["positive"]),
        (["不採用の答え"], "output", []),
        (["#3"], "output", ["#3"]),
        (["problem", "#2"], "prompt", ["problem"]),
    ],
)
def test_columns_left_over_that_may_hold_a_field(free: list[str], lacking: str, expected: list[str]) -> None:
    assert candidates(lacking, free) == expected
