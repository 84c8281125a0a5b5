"""Column names in English and Japanese find their fields without asking; `--map` wins."""

from __future__ import annotations

import pytest

from llmlora.core.errors import ConfigError
from llmlora.core.examples import FORMATS
from llmlora.data.fields import MAPPABLE, REQUIRED, SYNONYMS, check_columns, find_mapping, normalised, role_of


@pytest.mark.parametrize(
    ("columns", "format_name", "fields"),
    [
        (["質問", "回答"], "instruction", {"instruction": "質問", "output": "回答"}),
        (["指示", "入力", "出力"], "instruction", {"instruction": "指示", "input": "入力", "output": "出力"}),
        (["問題", "解答"], "instruction", {"instruction": "問題", "output": "解答"}),
        (["Question", " Answer "], "instruction", {"instruction": "Question", "output": " Answer "}),
        (["instruction", "response"], "instruction", {"instruction": "instruction", "output": "response"}),
        (["prompt", "response"], "instruction", {"instruction": "prompt", "output": "response"}),
        (["prompt", "completion"], "completion", {"prompt": "prompt", "completion": "completion"}),
        (["プロンプト", "応答"], "completion", {"prompt": "プロンプト", "completion": "応答"}),
        (["id", "text"], "text", {"text": "text"}),
        (["conversations"], "chat", {"messages": "conversations"}),
        (["messages", "text", "instruction", "output"], "chat", {"messages": "messages"}),
        (["Ｑ", "Ａ"], "instruction", {"instruction": "Ｑ", "output": "Ａ"}),
        (["input", "output"], "instruction", {"instruction": "input", "output": "output"}),
        (["入力", "出力"], "instruction", {"instruction": "入力", "output": "出力"}),
        (["user", "assistant"], "instruction", {"instruction": "user", "output": "assistant"}),
        (["input", "q", "a"], "instruction", {"instruction": "q", "input": "input", "output": "a"}),
        (["instruction", "input", "output", "system"], "instruction", None),
    ],
)  # fmt: skip
def test_usual_names_are_understood(columns: list[str], format_name: str, fields: dict[str, str] | None) -> None:
    mapping = find_mapping(columns, {})
    assert mapping is not None
    assert (mapping.format, mapping.is_complete) == (format_name, True)
    assert fields is None or mapping.columns == fields
    assert set(mapping.ignored) == set(columns) - set(mapping.columns.values())


def test_given_columns_win_over_usual_names() -> None:
    given = {"instruction": "title", "output": "body"}
    mapping = find_mapping(["title", "body", "question", "answer"], given)
    assert mapping is not None
    assert mapping.columns == given
    assert mapping.ignored == ("question", "answer")


def test_a_column_serves_one_field_only() -> None:
    mapping = find_mapping(["prompt", "text"], {"output": "prompt", "instruction": "text"})
    assert mapping is not None
    assert (mapping.format, dict(mapping.columns)) == ("instruction", {"instruction": "text", "output": "prompt"})


def test_incomplete_and_unknown_columns() -> None:
    partial = find_mapping(["質問", "id"], {})
    assert partial is not None
    assert (partial.format, partial.is_complete) == ("instruction", False)
    assert find_mapping(["foo", "bar"], {}) is None
    assert find_mapping([], {}) is None
    assert find_mapping(["question", "answer"], {}, "text") is None


def test_a_wanted_format_is_used_even_when_another_fits() -> None:
    mapping = find_mapping(["prompt", "completion", "text"], {}, "text")
    assert mapping is not None
    assert (mapping.format, dict(mapping.columns)) == ("text", {"text": "text"})


def test_the_tables_are_in_order() -> None:
    assert set(REQUIRED) == set(FORMATS)
    assert set(MAPPABLE) | {"conversations"} == set(SYNONYMS)
    for names in SYNONYMS.values():
        assert [normalised(name) for name in names] == list(names)


def test_fields_of_map_are_checked() -> None:
    check_columns({"instruction": "a", "messages": "b"})
    with pytest.raises(ConfigError) as raised:
        check_columns({"question": "a"})
    assert raised.value.code == "unknown_field"


def test_roles() -> None:
    assert [role_of(word) for word in ("Human", "gpt", "アシスタント", "SYSTEM", "function")] == [
        "user", "assistant", "assistant", "system", "tool",
    ]  # fmt: skip
    assert role_of("narrator") is None
    assert role_of(None) is None
