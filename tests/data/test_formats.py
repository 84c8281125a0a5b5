"""Raw rows become examples, and everything wrong with one row is found at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import DatasetError
from llmlora.core.examples import Example, Message
from llmlora.data.formats import MAX_KEY_SETS, RowReader, is_blank
from llmlora.data.raw import RawRow
from llmlora.data.read import Source, iter_examples, read_options, read_rows, row_reader
from llmlora.data.validate import check_dataset


def read(value: dict[str, Any], **options: Any) -> tuple[Example | None, list[str]]:
    reader = RowReader(options.pop("wanted", None), options.pop("columns", {}))
    example, problems = reader.read(RawRow(3, 7, value))
    assert all((problem.line, problem.row) == (7, 3) for problem in problems)
    return example, [problem.code for problem in problems]


def test_instruction_and_input_become_one_question() -> None:
    example, problems = read({"instruction": "要約して", "input": "長い文", "output": "短い文"})
    assert problems == []
    assert example == Example(3, 7, messages=(Message("user", "要約して\n長い文"), Message("assistant", "短い文")))


@pytest.mark.parametrize("blank", ["", " ", "\u3000", None])
def test_a_blank_input_changes_nothing(blank: str | None) -> None:
    example, _ = read({"instruction": "a", "input": blank, "output": "b"})
    assert example is not None
    assert example.messages[0].content == "a"


def test_system_stands_first_and_text_is_never_stripped() -> None:
    example, _ = read({"system": "s", "instruction": " a ", "output": "b\n"})
    assert example is not None
    assert example.messages == (Message("system", "s"), Message("user", " a "), Message("assistant", "b\n"))


def test_completion_and_text_stay_raw() -> None:
    example, _ = read({"prompt": "", "completion": "b"})
    assert example == Example(3, 7, prompt="", completion="b")
    example, _ = read({"text": " a"})
    assert example == Example(3, 7, text=" a")


def test_conversations_become_messages() -> None:
    turns = [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]
    example, problems = read({"conversations": turns, "system": "s"})
    assert problems == []
    assert example is not None
    assert [message.role for message in example.messages] == ["system", "user", "assistant"]


def test_all_mistakes_of_a_row_are_found_together() -> None:
    assert read({"instruction": 3, "input": [], "output": None})[1] == [
        "question_not_text", "question_not_text", "missing_answer",
    ]  # fmt: skip
    turns = [
        {"role": "x", "content": "a"},
        "b",
        {"role": "user", "content": ["c"]},
        {"role": "assistant", "content": 1},
    ]
    assert read({"messages": turns})[1] == ["unknown_role", "turn_not_object", "mixed_content", "content_not_text"]


@pytest.mark.parametrize(
    ("value", "kind"), [(True, "boolean"), (1, "number"), (1.5, "number"), ([], "array"), ({}, "object")]
)
def test_the_type_of_a_wrong_value_is_named(value: Any, kind: str) -> None:
    _, problems = RowReader(None, {}).read(RawRow(1, 1, {"instruction": "a", "output": value}))
    assert (problems[0].code, problems[0].params["kind"], problems[0].field) == ("answer_not_text", kind, "output")


def test_the_first_complete_row_fixes_the_format() -> None:
    reader = RowReader(None, {})
    rows = [{"instruction": "a"}, {"text": "b"}, {"instruction": "a", "output": "b"}, {"text": "c"}]
    codes = [[problem.code for problem in reader.read(RawRow(1, 1, row))[1]] for row in rows]
    assert codes == [["missing_answer"], [], ["format_differs"], []]
    assert reader.format == "text"


def test_a_row_that_fits_several_formats_is_read_as_the_others() -> None:
    reader = RowReader(None, {})
    reader.read(RawRow(1, 1, {"text": "a"}))
    example, problems = reader.read(RawRow(2, 2, {"instruction": "a", "output": "b", "text": "c"}))
    assert problems == []
    assert example is not None and example.text == "c"


def test_rows_with_ever_new_columns_stay_in_bounds() -> None:
    reader = RowReader(None, {})
    for number in range(2500):
        assert reader.read(RawRow(number, number, {"text": "a", f"column {number}": 1}))[1] == []
    assert len(reader.ignored) == MAX_KEY_SETS
    assert len(reader._known) <= MAX_KEY_SETS


def test_a_conversation_of_null_is_missing() -> None:
    assert read({"messages": None})[1] == ["missing_answer"]


def test_columns_may_differ_from_row_to_row() -> None:
    reader = RowReader(None, {})
    for row in (
        {"質問": "a", "回答": "b"},
        {"instruction": "a", "output": "b", "id": 1},
        {"question": "a", "answer": "b", "n": 2},
    ):
        assert reader.read(RawRow(1, 1, row))[1] == []
    assert list(reader.ignored) == ["id", "n"]


def test_a_table_with_unknown_columns_stops_at_its_header() -> None:
    reader = RowReader(None, {}, has_header=True)
    with pytest.raises(DatasetError) as raised:
        reader.read(RawRow(1, 2, {"foo": "a", "bar": "b"}))
    assert (raised.value.code, raised.value.params["line"], raised.value.params["columns"]) == (
        "header_unclear",
        1,
        "foo, bar",
    )


def test_a_table_that_lacks_a_column_stops_at_its_header() -> None:
    reader = RowReader(None, {}, has_header=True)
    with pytest.raises(DatasetError) as raised:
        reader.read(RawRow(1, 2, {"質問": "a", "メモ": "b"}))
    params = raised.value.params
    assert (raised.value.code, params["line"], params["name"], params["columns"]) == (
        "column_missing", 1, "output", "質問, メモ",
    )  # fmt: skip
    mapped = RowReader(None, {"output": "メモ"}, has_header=True)
    assert mapped.read(RawRow(1, 2, {"質問": "a", "メモ": "b"}))[1] == []


@pytest.mark.parametrize(
    ("wanted", "row", "needed"),
    [
        ("chat", {"instruction": "a", "output": "b"}, "messages"),
        ("text", {"instruction": "a", "output": "b"}, "text"),
        ("completion", {"foo": "b"}, "prompt, completion"),
    ],
)
def test_columns_that_do_not_fit_the_wanted_format(wanted: Any, row: dict[str, Any], needed: str) -> None:
    _, (problem,) = RowReader(wanted, {}).read(RawRow(3, 7, row))
    assert (problem.code, problem.line, problem.row) == ("columns_lack_format", 7, 3)
    assert problem.params["needed"] == needed
    assert f"--map {needed.split(',')[0]}=" in problem.hint


@pytest.mark.parametrize(("free", "proposed"), [({"見出し": "b"}, True), ({}, False), ({"answers": ["b"]}, False)])
def test_a_missing_field_names_the_option_that_maps_it_where_a_column_can_be_meant(
    free: dict[str, Any], proposed: bool
) -> None:
    _, (problem,) = RowReader(None, {}).read(RawRow(1, 1, {"質問": "a", **free}))
    assert (problem.code, problem.field) == ("missing_answer", "output")
    assert ("--map" in problem.of_none_good().hint) is proposed
    assert "--map" not in problem.hint, "the other rows of the file are read as they are"


def test_a_blank_user_turn_is_a_warning_and_kept() -> None:
    turns = [{"role": "user", "content": "\u3000"}, {"role": "assistant", "content": "b"}]
    example, problems = read({"messages": turns})
    assert problems == ["blank_user_turn"]
    assert example is not None and example.messages[0].content == "\u3000"


def test_what_else_stands_in_turns_is_named() -> None:
    reader = RowReader(None, {})
    turns = [{"role": "user", "content": "a", "name": "taro"}, {"role": "assistant", "content": "b", "mood": 0}]
    reader.read(RawRow(1, 1, {"messages": turns, "id": 1}))
    reader.read(RawRow(2, 2, {"messages": "no list"}))
    assert list(reader.ignored) == ["id", "messages[].mood"]


def test_a_mapped_column_that_is_not_there() -> None:
    assert read({"foo": "a"}, columns={"instruction": "q", "output": "a"})[1] == ["mapped_column_missing"]


def test_tool_turns_keep_their_calls() -> None:
    turns = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "function": {"name": "f"}}]},
        {"role": "tool", "content": "42", "tool_call_id": "1"},
        {"role": "assistant", "content": "b", "reasoning_content": "c"},
    ]
    example, problems = read({"messages": turns, "tools": '[{"name": "f"}]'})
    assert not problems
    assert example is not None
    assert [message.content for message in example.messages] == ["a", "", "42", "b"]
    call = {"type": "function", "id": "1", "function": {"name": "f", "arguments": {}}}
    assert json.loads(example.messages[1].tool_calls) == [call]
    assert (example.messages[2].tool_call_id, example.messages[3].reasoning) == ("1", "c")
    assert json.loads(example.tools) == [{"type": "function", "function": {"name": "f"}}]
    again, _ = read(example.to_dict())
    assert again is not None and again == example


def test_tools_beside_a_question_reach_the_template() -> None:
    example, problems = read({"質問": "天気は？", "回答": "晴れです。", "tools": [{"name": "f"}]})
    assert example is not None and problems == []
    assert json.loads(example.tools) == [{"type": "function", "function": {"name": "f"}}]
    assert read({"質問": "天気は？", "回答": "晴れです。", "tools": '[{"title": 1}]'})[1] == ["tools_unreadable"]


def test_tools_that_are_words_are_told_as_not_used() -> None:
    reader = RowReader(None, {})
    example, problems = reader.read(RawRow(1, 1, {"質問": "掃除は？", "回答": "9時です。", "ツール": "ほうき"}))
    assert example is not None and (example.tools, problems) == ("", [])
    assert list(reader.ignored) == ["ツール"]


MEDIA = {
    "画像": "a.png", "画像パス": "fotos/a.JPG", "写真": "https://example.org/1", "img": ["a.webp"], "image_1": "a.gif",
    "pixel_values": [[0.1, 0.2]], "voice_file": "a.wav", "picture": {"src": "a"}, "音声ファイル": "一.mp3",
    "x": "data:image/png;base64,AAAA", "y": {"bytes": None, "path": "a"}, "screenshot": "A" * 300,
}  # fmt: skip


@pytest.mark.parametrize("name", MEDIA)
def test_a_medium_is_refused_under_any_name(name: str) -> None:
    assert read({"question": "何が見えますか？", "answer": "猫です。", name: MEDIA[name]})[1] == ["media_not_supported"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("写真", "あり"),
        ("image_caption", "a cat"),
        ("音声", "もしもし"),
        ("source", "a.png"),
        ("picture", 3),
        ("img", ""),
    ],
)
def test_what_only_sounds_like_a_medium_is_no_error(name: str, value: object) -> None:
    example, problems = read({"question": "何が見えますか？", "answer": "猫です。", name: value})
    assert example is not None and problems == []


@pytest.mark.parametrize(
    "history",
    [
        [["一", "二"]],
        '[["一", "二"]]',
        [{"user": "一", "assistant": "二"}],
        [{"role": "user", "content": "一"}, {"role": "assistant", "content": "二"}],
    ],
)
def test_history_becomes_earlier_turns(history: object) -> None:
    example, problems = read({"instruction": "三", "output": "四", "history": history, "system": "零"})
    assert example is not None and not problems
    assert [turn.content for turn in example.messages] == ["零", "一", "二", "三", "四"]
    assert all(turn.learned for turn in example.messages)


def test_blank() -> None:
    assert all(is_blank(text) for text in ("", " \t\r\n", "\u3000", "\u200b\ufeff", "\u00a0"))
    assert not any(is_blank(text) for text in ("a", " 。", "\u200ba"))


TURNS = [{"role": "user", "content": "定休日は？"}, {"role": "assistant", "content": "水曜日です。"}]
EARLIER = [
    {"role": "user", "content": "店は？"},
    {"role": "assistant", "content": "本店です。"},
    {"role": "user", "content": "定休日は？"},
]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": TURNS[:1], "completion": TURNS[1:]},
        {"prompt": TURNS[:1], "completion": "水曜日です。"},
        {"prompt": "定休日は？", "completion": TURNS[1:]},
        {"conversation": [{"input": "定休日は？", "output": "水曜日です。"}]},
        {"messages": [{"role": "prompter", "content": "定休日は？"}, {"role": "ai", "content": "水曜日です。"}]},
    ],
)
def test_conversations_in_other_clothes(row: dict[str, Any]) -> None:
    """As TRL, XTuner, OpenAssistant and LangChain write them."""
    example, problems = read(row)
    assert problems == []
    assert example is not None
    assert example.messages == (Message("user", "定休日は？"), Message("assistant", "水曜日です。"))


def test_only_the_completion_of_turns_is_learned() -> None:
    example, _ = read(
        {"prompt": EARLIER, "completion": [{"role": "assistant", "content": "水曜日です。"}], "tools": None}
    )
    assert example is not None
    assert [turn.learned for turn in example.messages] == [True, False, True, True]


def test_a_developer_speaks_as_the_system() -> None:
    example, _ = read({"messages": [{"role": "developer", "content": "丁寧に"}, *TURNS]})
    assert example is not None
    assert example.messages[0] == Message("system", "丁寧に")
    example, _ = read({"conversation": [{"system": "丁寧に", "input": "定休日は？", "output": "水曜日です。"}]})
    assert example is not None
    assert [turn.role for turn in example.messages] == ["system", "user", "assistant"]


def test_a_turn_that_names_no_speaker() -> None:
    assert read({"messages": [{"content": "定休日は？"}]})[1] == ["missing_role"]
    assert read({"messages": [{"role": 3, "content": "定休日は？"}]})[1] == ["unknown_role"]


@pytest.mark.parametrize(
    ("row", "code", "maps"),
    [
        (
            {"source": "質問", "target": "答え", "id": 3},
            "unknown_columns",
            "--map instruction=source --map output=target",
        ),
        ({"kind": 1, "input": "質問", "target": "答え"}, "missing_answer", "--map output=target"),
        ({"question": "質問", "answers": {"text": ["答え"]}}, "missing_answer", ""),
        ({"0": {"instruction": "質問", "output": "答え"}}, "no_text_columns", None),
        ({"dialog": ["質問", "答え"]}, "no_text_columns", None),
    ],
)
def test_a_hint_proposes_columns_that_hold_text(row: dict[str, Any], code: str, maps: str | None) -> None:
    """What is proposed is read then, and not refused."""
    _, problems = RowReader(None, {}).read(RawRow(1, 1, row))
    assert [(problem.code, problem.params.get("maps")) for problem in problems] == [(code, maps)]
    if maps:
        columns = dict(word.split("=") for word in maps.split() if "=" in word)
        assert read(row, columns=columns)[1] == []


@pytest.mark.parametrize("word", ["nan", "NaN", "None", "null", "#N/A", " #REF! "])
@pytest.mark.parametrize("column", ["input", "output"])
def test_what_programs_write_for_an_empty_cell_is_named(word: str, column: str) -> None:
    row = {"instruction": "a", "input": "", "output": "b", column: word}
    example, problems = read(row)
    assert example is not None
    assert problems == ["empty_cell_word"]
    assert read({**row, column: "none of them"})[1] == []


@pytest.mark.parametrize("name", ["arguments", "parameters", "args", "input"])
def test_the_arguments_of_a_call_are_read_under_all_usual_names(name: str) -> None:
    call = {"name": "thermo", name: {"place": "庭"}, "id": "c1"}
    turns = [{"role": "user", "content": "気温は？"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    example, problems = read({"messages": turns})
    assert (problems, example is not None) == ([], True)
    assert example is not None
    assert json.loads(example.messages[1].tool_calls)[0]["function"]["arguments"] == {"place": "庭"}


def test_a_call_whose_arguments_stand_under_another_name_is_refused() -> None:
    calls = [{"name": "thermo", "kwargs": {"place": "庭"}}]
    turns = [{"role": "user", "content": "気温は？"}, {"role": "assistant", "tool_calls": calls}]
    assert read({"messages": turns}) == (None, ["tool_call_unreadable"])


@pytest.mark.parametrize("field", ["output", "instruction", "system", "input"])
def test_a_column_that_no_row_has_is_named(tmp_path: Path, field: str) -> None:
    path = tmp_path / "data.jsonl"
    rows = [{"question": "a", "answer": "b"}, {"question": "c", "answer": "d", "note": "e"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    options = read_options(columns={field: "nowhere"})
    with pytest.raises(DatasetError) as raised:
        list(iter_examples(path, options))
    code = raised.value.params.get("first_code", raised.value.code)
    assert code == "mapped_column_missing"
    assert "mapped_column_missing" in check_dataset(path, options).counts
    assert len(list(iter_examples(path, read_options(columns={"system": "note"})))) == 2


def test_a_column_of_a_pair_was_there_although_it_is_not_kept(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "a"}]
    row = {"prompt": turns, "chosen": "b", "rejected": "c"}
    path = tmp_path / "data.jsonl"
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    source = Source(path, read_options(columns={"instruction": "prompt"}))
    assert [item.messages[-1].content for item in read_rows(source, row_reader(source, keep_chosen=True))] == ["b"]
