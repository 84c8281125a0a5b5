"""Strict JSON: values are the standard library's, refusals name the mistake and its place."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.data.strict_json import MAX_DEPTH, JsonError, check_depth, parse_json, strings_in

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
NUMBERS = st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def refusal(text: str) -> JsonError:
    with pytest.raises(JsonError) as raised:
        parse_json(text)
    return raised.value


@given(VALUES, st.booleans())
def test_every_good_value_is_read_exactly(value: object, ascii_only: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only)) == value


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = parse_json(text)
    except JsonError as failure:
        assert failure.code
        assert failure.position is None or 0 <= failure.position <= len(text)
    else:
        assert json.loads(text) == value


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ('{"a": 1, "a": 2}', "duplicate_key", 9),
        ('{"a": {"b": 1}, "b": {"a": 1, "\\u0061": 2}}', "duplicate_key", 30),
        ('{"a": ["b", "b"], "c": {"a": 1}, "a": 3}', "duplicate_key", 33),
        ('{"a": "\\"a\\": 1", "a": 2}', "duplicate_key", 18),
        ('{"a": NaN}', "not_finite", 6),
        ('{"NaN": "NaN", "b": -Infinity}', "not_finite", 20),
        ('{"a": 1e400}', "not_finite", 6),
        ('{"a": 9223372036854775808}', "number_too_large", 6),
        ('{"a": "\\udc00"}', "lone_surrogate", 7),
        ('{"a": "\\ud83d\\ude00\\\\ud800\\ud83d"}', "lone_surrogate", 26),
        ('{"a": 1,}', "trailing_comma", 8),
        ("{'a': 1}", "single_quotes", 1),
        ('{"a": 1} // b', "comment_in_json", 9),
        ('{"a": True}', "python_literal", 6),
        ("{a: 1}", "unquoted_key", 1),
        ('{"a"： 1}', "full_width_syntax", 4),
        ('{"a": 1} {"b": 2}', "several_values_on_line", 9),
        ('{"a": 1} null', "several_values_on_line", 9),
        ('{"a": 1};', "content_after_json", 8),
        ('{"a": 1 "b": 2}', "missing_comma", 8),
        ('{"a": "b', "unterminated_string", 6),
        ('{"a": "b\nc"}', "control_in_string", 8),
        ('{"a": "\\x"}', "invalid_escape", 7),
        ('{"a": ', "unfinished_json", 6),
        ('{"a" = 1}', "json_syntax", 5),
        ("", "unfinished_json", 0),
    ],
)
def test_each_mistake_has_its_name_and_place(text: str, code: str, position: int) -> None:
    failure = refusal(text)
    assert failure.code == code
    assert failure.position is not None and abs(failure.position - position) <= 1


def test_depth_counts_brackets_outside_strings_only() -> None:
    check_depth("[" * MAX_DEPTH + "]" * MAX_DEPTH)
    assert parse_json(json.dumps("[" * 500)) == "[" * 500
    assert parse_json(json.dumps({"a": '\\"' + "{" * 500})) == {"a": '\\"' + "{" * 500}
    assert refusal("[" * 33 + "]" * 33).position == 32
    assert refusal('{"a":' * 100_000).code == "too_deep"
    parse_json("[" + "[],{}," * 500 + "[]]")


def test_surrogate_pairs_are_characters() -> None:
    assert parse_json('"\\ud83d\\ude00"') == "\U0001f600"
    assert refusal('{"\\ud83d": 1}').code == "lone_surrogate"
    assert parse_json('"\\\\ud83d"') == "\\ud83d"


def test_strings_of_a_value_include_keys() -> None:
    assert strings_in({"a": ["b", {"c": "d"}], "e": 1}) == ["a", "b", "c", "d", "e"]
