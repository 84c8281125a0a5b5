"""The incremental reader gives the elements of the whole document at any chunk size, with exact places."""

from __future__ import annotations

import io
import json
import random

import pytest

from llmlora.core.errors import DatasetError
from llmlora.data import json_stream
from llmlora.data.json_stream import Cursor, Element, WrappedList, list_elements, place_in

ROWS = [
    {"a": 'x"y\\', "b": ["]", {"c": "}"}]},
    {"a": "\n,[{", "b": None},
    "text, with ] marks",
    [1, [2, {"k": "]]"}]],
    12.5,
    {"日本": "語\u2028と改行\n"},
]


def wrapped(text: str) -> WrappedList:
    """Return an object to read, in which `q` and `a` make a row and `messages` belongs to one."""
    return WrappedList(Cursor(io.StringIO(text)), {"messages"}.__contains__, lambda keys: {"q", "a"} <= set(keys))


def elements(text: str) -> list[Element]:
    cursor = Cursor(io.StringIO(text))
    assert cursor.peek() == "["
    return list(list_elements(cursor))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1 << 18])
@pytest.mark.parametrize("indent", [None, 2])
def test_elements_equal_the_whole_document(monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None) -> None:
    monkeypatch.setattr(json_stream, "CHUNK_CHARACTERS", chunk)
    text = json.dumps(ROWS, ensure_ascii=False, indent=indent)
    found = elements(text)
    assert [json.loads(element.text or "") for element in found] == ROWS
    lines = text.split("\n")
    for element in found:
        rest = lines[element.line - 1][element.column - 1 :]
        assert rest.startswith((element.text or "").split("\n")[0])


def test_random_documents_at_random_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    chance = random.Random(3)
    for _ in range(200):
        rows = [ROWS[0], *(chance.choice(ROWS) for _ in range(chance.randint(0, 6)))]
        monkeypatch.setattr(json_stream, "CHUNK_CHARACTERS", chance.randint(1, 30))
        text = json.dumps({"meta": "a[", "rows": rows, "n": 1}, indent=chance.choice([None, 1]))
        found = wrapped(text)
        assert [json.loads(element.text or "") for element in found.elements()] == rows
        assert (found.list_key, found.members) == ("rows", {"meta": "a[", "n": 1})


def test_an_element_too_long_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "CHUNK_CHARACTERS", 16)
    monkeypatch.setattr(json_stream, "ROW_CHARACTERS", 100)
    long_values = [
        '"' + "x" * 500 + '"',
        '"' + '\\"]' * 200 + '"',
        '{"a": "' + "y" * 300 + '", "b": [1]}',
        "[" + "1," * 300 + "1]",
    ]
    for value in long_values:
        found = elements(f'[{{"a": 1}}, {value}, {{"b": 2}}]')
        assert [element.code for element in found] == ["", "row_too_long", ""]
        assert json.loads(found[2].text or "") == {"b": 2}
        assert found[2].column == len(f'[{{"a": 1}}, {value}, ') + 1


def test_deep_elements_are_passed_over() -> None:
    deep = "[" * 1000 + "]" * 1000
    found = elements(f"[1, {deep}, 2]")
    assert [element.code for element in found] == ["", "too_deep", ""]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[1, 2", "truncated_file"),
        ('["a', "truncated_file"),
        ("[{", "truncated_file"),
        ("[1}", "json_syntax"),
        ("[", "truncated_file"),
    ],
)
def test_broken_lists_stop_with_a_place(text: str, code: str) -> None:
    with pytest.raises(DatasetError) as raised:
        elements(text)
    assert raised.value.code == code
    assert raised.value.params["line"] == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a": 1', "truncated_file"),
        ('{"a" 1}', "json_syntax"),
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"a": [1], "a": 2}', "duplicate_key"),
        ('{"a": [{}], "a": 2}', "duplicate_key"),
        ('{"a": [{}], "b": [ {}]}', "several_lists"),
        ('{"a": [{}], "b": [[]]}', "several_lists"),
        ('{"a": 1,}', "trailing_comma"),
        ("{a: 1}", "unquoted_key"),
        ("{'a': 1}", "single_quotes"),
        ('{"a": 1]', "missing_comma"),
        ('{"a": NaN}', "not_finite"),
    ],
)
def test_broken_objects_stop_with_a_place(text: str, code: str) -> None:
    with pytest.raises(DatasetError) as raised:
        list(wrapped(text).elements())
    assert raised.value.code == code
    assert raised.value.params["line"] == 1


@pytest.mark.parametrize(
    ("text", "list_key", "num_elements"),
    [
        ('{"messages": [{"c": 1}], "b": {"c": [2]}}', None, 0),  # the list of a conversation is part of a row
        ('{"q": "x", "a": "y", "history": [{"c": 1}]}', None, 0),  # a whole row stands before the list
        ('{"tags": ["x", 1], "rows": [{"c": 1}, {}]}', "rows", 2),  # only objects are rows
        ('{"tags": [], "rows": [{"c": 1}], "more": [ ]}', "rows", 1),
        ('{"rows": [ \n{"c": 1}], "version": 1}', "rows", 1),
        ('{"rows": []}', "rows", 0),
        ('{"tags": ["x"]}', None, 0),
    ],
)
def test_which_list_holds_the_rows(text: str, list_key: str | None, num_elements: int) -> None:
    found = wrapped(text)
    assert len(list(found.elements())) == num_elements
    others = {key: value for key, value in json.loads(text).items() if key != list_key}
    assert (found.list_key, found.members) == (list_key, others)


def test_an_empty_object_is_an_empty_row() -> None:
    found = wrapped("{ }")
    assert (list(found.elements()), found.list_key, found.members) == ([], None, {})


def test_a_member_beside_the_rows_is_held_to_the_same_limits() -> None:
    with pytest.raises(DatasetError) as raised:
        list(wrapped('{"a": 1,\n "b": ' + '{"c":' * 40 + "1" + "}" * 40 + "}").elements())
    assert (raised.value.code, raised.value.params["line"], raised.value.params["column"]) == ("too_deep", 2, 7)


def test_looking_ahead_stops_far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_stream, "CHUNK_CHARACTERS", 8)
    monkeypatch.setattr(json_stream, "ROW_CHARACTERS", 64)
    cursor = Cursor(io.StringIO("[" + " " * 30 + "{"))
    assert (cursor.peek(), cursor.peek_after(), cursor.place) == ("[", "{", {"line": 1, "column": 1})
    cursor = Cursor(io.StringIO("[" + " " * 500 + "{"))
    assert (cursor.peek(), cursor.peek_after()) == ("[", "")


def test_places_inside_an_element() -> None:
    element = Element(5, 9, "ab\ncd\nef")
    assert place_in(element, 1) == (5, 10)
    assert place_in(element, 4) == (6, 2)
    assert place_in(element, 6) == (7, 1)
    assert place_in(element, None) == (5, 9)
