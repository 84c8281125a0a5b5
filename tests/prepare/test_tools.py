"""Calls of tools, tools and reasoning reach the chat template in the form it wants, and are learned as rendered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.core.errors import DatasetRowError
from llmlora.core.examples import Example
from llmlora.data.read import iter_examples
from llmlora.prepare.count import RowCounter
from llmlora.prepare.dataset import IGNORED, PrepareOptions, prepare_examples
from llmlora.prepare.template import ChatTemplate, load_template
from llmlora.weights.base import open_folder
from prepare.folders import CHATML, OPENING, tokenizer_folder

HEAD = (
    "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
    "{% for message in messages %}"
)
TAIL = "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
OTHER = "{% else %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endif %}"
ANSWER = "{% elif message.role == 'assistant' %}<|im_start|>assistant\n{{ message.content or '' }}"
TOOL = "{% if message.role == 'tool' %}<|im_start|>user\n<r>{{ message.content }}</r><|im_end|>\n"
CALLS = "{% for call in message.tool_calls or [] %}{% set f = call.function %}"
# As Qwen2.5 and Hermes: arguments through tojson, so a text would be quoted twice.
OBJECT = HEAD + TOOL + ANSWER + CALLS + "<call>{{ f.name }} {{ f.arguments | tojson }}</call>{% endfor %}"
# As DeepSeek: arguments are put into the text as they are, and a turn that only calls must have no content.
TEXT = (
    HEAD + TOOL + "{% elif message.role == 'assistant' and message.content is none %}<|im_start|>assistant\n"
    "{% for call in message.tool_calls %}{{ '<call>' + call.function.name + ' ' }}"
    "{{ call.function.arguments + '</call>' }}"
    "{% endfor %}<|im_end|>\n" + ANSWER
)
# As Qwen3 and the case file: takes both.
EITHER = OBJECT.replace("f.arguments | tojson", "f.arguments if f.arguments is string else f.arguments | tojson")
# As Mistral: ids of calls and answers must have nine characters.
SHORT = (
    HEAD + "{% if message.role == 'tool' %}"
    "{% if message.tool_call_id | length != 9 %}{{ raise_exception('id') }}{% endif %}"
    "<|im_start|>user\n<r>{{ message.content }} {{ message.tool_call_id }}</r><|im_end|>\n" + ANSWER + CALLS
    + "{% if call.id is not defined or call.id | length != 9 %}{{ raise_exception('id') }}{% endif %}"
    "<call>{{ f.name }} {{ f.arguments | tojson }} {{ call.id }}</call>{% endfor %}"
)  # fmt: skip
# As Llama 3.1: one call per turn, and its arguments one by one.
ONE = (
    HEAD + TOOL + ANSWER + "{% if message.tool_calls %}{% if message.tool_calls | length != 1 %}"
    "{{ raise_exception('single tool-calls') }}{% endif %}{% set f = message.tool_calls[0].function %}"
    '<call>{{ f.name }} {{ "{" }}{% for key, value in f.arguments | items %}"{{ key }}": "{{ value }}"'
    '{{ ", " if not loop.last }}{% endfor %}{{ "}" }}</call>{% endif %}'
)
TEMPLATES = {
    name: text + "<|im_end|>\n" + OTHER + TAIL
    for name, text in {"object": OBJECT, "text": TEXT, "either": EITHER, "short": SHORT, "one": ONE}.items()
}
ROWS = {
    "openai": {
        "messages": [
            {"role": "user", "content": "東京の天気"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "t", "arguments": '{"p": "東京"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "18"},
            {"role": "assistant", "content": "晴れです。"},
        ],
        "tools": [{"type": "function", "function": {"name": "t", "parameters": {}}}],
    },
    "object": {
        "messages": [
            {"role": "user", "content": "東京の天気"},
            {"role": "assistant", "content": "", "tool_calls": [{"name": "t", "arguments": {"p": "東京"}}]},
            {"role": "tool", "content": "18"},
            {"role": "assistant", "content": "晴れです。"},
        ],
        "tools": '[{"name": "t", "parameters": {}}]',
    },
    "sharegpt": {
        "conversations": [
            {"from": "human", "value": "東京の天気"},
            {"from": "function_call", "value": '{"name": "t", "arguments": {"p": "東京"}}'},
            {"from": "observation", "value": "18"},
            {"from": "gpt", "value": "晴れです。"},
        ],
        "tools": '[{"name": "t", "parameters": {}}]',
    },
    "old": {
        "messages": [
            {"role": "user", "content": "東京の天気"},
            {"role": "assistant", "content": None, "function_call": {"name": "t", "arguments": '{"p": "東京"}'}},
            {"role": "function", "name": "t", "content": "18"},
            {"role": "assistant", "content": "晴れです。"},
        ],
        "functions": [{"name": "t", "parameters": {}}],
    },
}  # fmt: skip


def template_of(folder: Path, text: str) -> ChatTemplate:
    return load_template(tokenizer_folder(folder, "byte_level", text))


def examples(folder: Path, *rows: object) -> list[Example]:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return list(iter_examples(path))


def learned_texts(folder: Path, rows: list[Example]) -> list[tuple[str, list[str]]]:
    """Return the text of each training row with the stretches of it that are learned."""
    prepared = prepare_examples(rows, open_folder(folder), PrepareOptions(2000))
    decode = load_template(folder).tokenizer.decode
    found = []
    for index in range(len(prepared)):
        ids, labels = (values.tolist() for values in prepared.row(index))
        parts: list[list[int]] = [[]]
        for label in labels:
            if label != IGNORED:
                parts[-1].append(label)
            elif parts[-1]:
                parts.append([])
        found.append((decode(ids), [decode(part) for part in parts if part]))
    return found


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_calls_are_learned_as_the_template_renders_them(tmp_path: Path, name: str, kind: str) -> None:
    template_of(tmp_path, TEMPLATES[name])
    rows = learned_texts(tmp_path, examples(tmp_path, ROWS[kind]))
    text, learned = rows[-1]
    calls = [part for _, parts in rows for part in parts]
    identity = " call00001" if name == "short" else ""
    assert f'<call>t {{"p": "東京"}}{identity}</call><|im_end|>' in calls
    assert learned[-1] == "晴れです。<|im_end|>"
    assert not any("18" in part or "<r>" in part for part in calls), "what a tool answers is not learned"
    assert f"<r>18{identity}</r>" in text
    assert '{"type": "function", "function": {"name": "t", "parameters": {}}}' in text


def test_parallel_calls_beside_a_text_are_learned_together(tmp_path: Path) -> None:
    template_of(tmp_path, TEMPLATES["short"])
    calls = [{"id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    turns = [
        {"role": "user", "content": "東京"},
        {"role": "assistant", "content": "天気", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "b", "content": "2"},
        {"role": "tool", "tool_call_id": "a", "content": "1"},
        {"role": "assistant", "content": "晴れ"},
    ]
    ((text, learned),) = learned_texts(tmp_path, examples(tmp_path, {"messages": turns}))
    assert learned == [
        "天気<call>a {} call00001</call><call>b {} call00002</call><|im_end|>",
        "晴れ<|im_end|>",
    ]
    assert "<r>2 call00002</r>" in text and "<r>1 call00001</r>" in text


def test_a_conversation_may_end_with_a_call(tmp_path: Path) -> None:
    template_of(tmp_path, TEMPLATES["either"])
    row = {"messages": ROWS["openai"]["messages"][:2], "tools": ROWS["openai"]["tools"]}
    assert [parts for _, parts in learned_texts(tmp_path, examples(tmp_path, row))] == [
        ['<call>t {"p": "東京"}</call><|im_end|>']
    ]


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("text", [CHATML, OPENING])
def test_a_template_without_tools_is_refused_by_name(tmp_path: Path, text: str, kind: str) -> None:
    template = template_of(tmp_path, text)
    rows = examples(tmp_path, ROWS[kind])
    with pytest.raises(DatasetRowError) as failure:
        prepare_examples(rows, open_folder(tmp_path), PrepareOptions(2000))
    assert (failure.value.code, failure.value.params["part"]) == ("row_needs_tools", "tools")
    refusal = RowCounter(template, 2000)(rows[0]).refusal
    assert refusal is not None and refusal.code == "row_needs_tools"


def test_calls_without_a_list_of_tools_need_the_template_too(tmp_path: Path) -> None:
    template_of(tmp_path, CHATML)
    with pytest.raises(DatasetRowError) as failure:
        prepare_examples(
            examples(tmp_path, {"messages": ROWS["old"]["messages"]}), open_folder(tmp_path), PrepareOptions(2000)
        )
    assert (failure.value.code, failure.value.params["part"]) == ("row_needs_tools", "tool_calls")


def test_control_tokens_in_calls_and_tools_are_spelled_out(tmp_path: Path) -> None:
    template = template_of(tmp_path, TEMPLATES["either"])
    call = {"function": {"name": "t", "arguments": {"p": "<|im_end|>"}}}
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    tools = [{"name": "t", "description": "<|im_start|>"}]
    (row,) = examples(tmp_path, {"messages": turns, "tools": tools})
    ((ids, _),) = template.encode_example(row.messages, tools=row.tools)
    assert ids.count(template.encoder.special_tokens["<|im_end|>"]) == 3
    assert ids.count(template.encoder.special_tokens["<|im_start|>"]) == 3


FIELD = CHATML.replace(
    "{{ message['content'] }}",
    "{% if message.reasoning_content %}<t>{{ message.reasoning_content }}</t>{% endif %}{{ message['content'] }}",
)
# Shows the thoughts of the last answer alone, and finds them in its text; as the case file.
INLINE = (
    "{% for message in messages %}{% set c = message.content %}<|im_start|>{{ message.role }}\n"
    "{% if message.role == 'assistant' %}"
    "{% set r = c.split('</think>')[0].split('<think>')[-1] if '</think>' in c else '' %}"
    "{% set c = c.split('</think>')[-1].lstrip('\n') %}{% if loop.last %}<t>{{ r.strip('\n') }}</t>{% endif %}{{ c }}"
    "{% else %}{{ c }}{% endif %}<|im_end|>\n" + TAIL
)


def thinking(key: str = "reasoning_content") -> dict[str, object]:
    return {
        "messages": [
            {"role": "user", "content": "a"},
            {"role": "assistant", "content": "b", key: "thought one"},
            {"role": "user", "content": "c"},
            {"role": "assistant", "content": "d", key: "thought two"},
        ]
    }


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking", "thought"])
def test_reasoning_reaches_a_template_that_has_a_field_for_it(tmp_path: Path, key: str) -> None:
    template_of(tmp_path, FIELD)
    rows = learned_texts(tmp_path, examples(tmp_path, thinking(key)))
    assert [parts for _, parts in rows] == [["<t>thought one</t>b<|im_end|>", "<t>thought two</t>d<|im_end|>"]]


def test_reasoning_reaches_a_template_that_looks_for_it_in_the_text(tmp_path: Path) -> None:
    template_of(tmp_path, INLINE)
    rows = learned_texts(tmp_path, examples(tmp_path, thinking()))
    assert [parts for _, parts in rows] == [["<t>thought one</t>b<|im_end|>"], ["<t>thought two</t>d<|im_end|>"]]
    assert "thought one" not in rows[1][0], "the template drops the thoughts of earlier answers"


def test_reasoning_fills_the_block_that_a_prompt_opens(tmp_path: Path) -> None:
    template_of(tmp_path, OPENING)
    rows = learned_texts(tmp_path, examples(tmp_path, thinking()))
    assert [parts for _, parts in rows] == [
        ["thought one\n</think>\n\nb<|im_end|>"],
        ["thought two\n</think>\n\nd<|im_end|>"],
    ]


def test_reasoning_that_a_template_does_not_show_is_counted(tmp_path: Path) -> None:
    template_of(tmp_path, CHATML)
    prepared = prepare_examples(examples(tmp_path, thinking()), open_folder(tmp_path), PrepareOptions(2000))
    assert prepared.facts["num_reasoning_hidden"] == 2
