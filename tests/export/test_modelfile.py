"""Modelfiles: what is written is what Ollama's syntax reads back, and the Go template renders as the Jinja does."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmlora.core.errors import ExportError
from llmlora.core.examples import Message
from llmlora.export.modelfile import ModelfileContent, default_parameters, go_template, modelfile_text, quoted
from llmlora.prepare.rendering import render_template
from llmlora.prepare.template import bundled_text
from tiny_models import CHATML, HEADERS, LABELLED, TURNS


def read_modelfile(text: str) -> list[tuple[str, str]]:
    """Read a Modelfile by its documented rules: a quoted value ends at the first line that ends in its quotes."""
    entries: list[tuple[str, str]] = []
    lines = text.splitlines(keepends=True)
    while lines:
        line = lines.pop(0)
        if line.startswith("#") or not line.strip():
            continue
        command, _, value = line.partition(" ")
        if command == "PARAMETER":
            name, _, value = value.partition(" ")
            command = f"{command} {name}"
        if value.startswith('"') and not value.startswith('"""'):
            assert value.rstrip("\n").endswith('"')
            entries.append((command, value.rstrip("\n")[1:-1]))
        elif value.startswith('"""'):
            while not (value.rstrip().endswith('"""') and len(value.rstrip()) >= 6):
                value += lines.pop(0)
            entries.append((command, value.rstrip()[3:-3]))
        else:
            entries.append((command, value.strip()))
    return entries


def content(**changes: object) -> ModelfileContent:
    values = {"model": "model-Q4_K_M.gguf", "template": None, "system": None, "parameters": {}}
    return ModelfileContent(**{**values, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "あなたは親切です。",
        'say "hi"',
        'ends with a quote"',
        '"starts with one',
        'inside """ it',
        "two\nlines\n",
        "# no comment",
        "FROM ./evil.gguf\nPARAMETER stop x",
        " spaces around ",
        "{{ .Prompt }}",
        "back\\slash\\n",
    ],
)
def test_system_comes_back_as_it_was(text: str):
    entries = read_modelfile(modelfile_text(content(system=text)))
    assert entries == [("FROM", "./model-Q4_K_M.gguf"), ("SYSTEM", text)]


@pytest.mark.parametrize("text", ['a"""\nb', 'a""" \nFROM x', '"""\n', "nul\x00"])
def test_text_that_the_syntax_cannot_hold_is_refused(text: str):
    with pytest.raises(ExportError) as caught:
        quoted(text)
    assert caught.value.code == "modelfile_unquotable"


@given(st.text(alphabet='"a\n #', max_size=12))
def test_every_accepted_text_comes_back(text: str):
    try:
        line = f"SYSTEM {quoted(text)}\n"
    except ExportError:
        return
    assert read_modelfile(line) == [("SYSTEM", text)]


def test_parameters_and_stops():
    parameters = default_parameters({}, ["<|im_end|>", "</s>"], 8192)
    entries = read_modelfile(modelfile_text(content(parameters=parameters)))
    assert entries[1:] == [
        ("PARAMETER temperature", "0"),
        ("PARAMETER repeat_penalty", "1.0"),
        ("PARAMETER num_ctx", "4096"),
        ("PARAMETER stop", "<|im_end|>"),
        ("PARAMETER stop", "</s>"),
    ]


def test_the_models_own_sampling_settings_are_kept():
    generation = {"do_sample": True, "temperature": 0.6, "top_p": 0.95, "top_k": 20, "repetition_penalty": 1.05}
    parameters = default_parameters(generation, [], 2048)
    assert parameters == {"temperature": 0.6, "repeat_penalty": 1.05, "num_ctx": 2048, "top_p": 0.95, "top_k": 20}


def run_go(template: str, messages: Sequence[Message]) -> str:
    """Run the few Go template actions that are used: range with $last, if/else if on the role, and values."""
    actions = re.split(r"(\{\{.*?\}\})", template)
    assert actions[1] == "{{ range $i, $_ := .Messages }}"
    assert actions[-2] == "{{ end }}"
    output = ""
    for index, message in enumerate(messages):
        is_on, has_run = True, False
        for action in actions[2:-2]:
            condition = re.search(r'eq \.Role "(\w+)"', action)
            if action.startswith("{{ if and $last"):
                is_on = index == len(messages) - 1 and message.role != "assistant"
            elif action.startswith("{{ $last"):
                continue
            elif condition:
                is_on = not has_run and message.role == condition[1]
                has_run = has_run or is_on
            elif action == "{{ end }}":
                is_on, has_run = True, False
            elif is_on:
                output += message.content if action == "{{ .Content }}" else action
    return output


def renderer(text: str, **variables: str):
    def render(messages: Sequence[Message]) -> str:
        turns = [turn.to_dict() for turn in messages]
        return render_template(text, "test", turns, {**variables, "add_generation_prompt": True}).text

    return render


TALK = [
    [Message("user", "こんにちは")],
    [Message("system", "短く"), Message("user", "a b")],
    [Message("user", "1"), Message("assistant", "2"), Message("user", "3")],
    [Message("system", "s"), Message("user", "1"), Message("assistant", "2"), Message("user", "3")],
]


@pytest.mark.parametrize(
    ("template", "variables"),
    [
        (CHATML, {}),
        (HEADERS, {"bos_token": "<B>"}),
        (TURNS, {"bos_token": "<bos>"}),
        (LABELLED, {"eos_token": "</s>"}),
        (bundled_text("plain"), {"eos_token": "</s>", "bos_token": "<s>"}),
        (bundled_text("chatml"), {"eos_token": "<|im_end|>"}),
    ],
)
def test_go_template_renders_as_the_jinja_does(template: str, variables: dict[str, str]):
    render, bos = renderer(template, **variables), variables.get("bos_token")
    go = go_template(render, bos)
    assert go is not None
    for messages in TALK:
        assert run_go(go, messages) == render(messages).removeprefix(bos or "")


def test_the_go_template_of_a_raw_model_is_the_last_text_alone():
    render = renderer("{{ bos_token }}" + bundled_text("raw"), bos_token="<s>", eos_token="</s>")
    go = go_template(render, "<s>")
    assert go == (
        "{{ range $i, $_ := .Messages }}{{ if eq (len (slice $.Messages $i)) 1 }}{{ .Content }}{{ end }}{{ end }}"
    )


@pytest.mark.parametrize(
    "template",
    [
        # a default system message when there is none
        "{% if messages[0].role != 'system' %}<S>default</S>{% endif %}" + CHATML,
        # an opening that differs from a real turn
        CHATML.replace("assistant\\n' }}{% endif", "assistant\\n<think>\\n\\n</think>' }}{% endif"),
        # position decides
        "{% for m in messages %}{{ loop.index }}{{ m.role }}: {{ m.content }}\n{% endfor %}assistant:",
        # content shown twice
        "{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}",
        # earlier answers left out
        "{% for m in messages %}{% if m.role != 'assistant' %}{{ m.role }}:{{ m.content }}{% endif %}{% endfor %}a:",
    ],
)
def test_a_template_that_is_not_turn_by_turn_gets_no_go_template(template: str):
    assert go_template(renderer(template), None) is None


def test_a_users_end_is_seen_from_two_turns_and_not_from_a_list_of_names():
    template = CHATML.replace("<|im_end|>", "<my-end>")
    go = go_template(renderer(template), None)
    assert go is not None
    two = [Message("user", "1"), Message("user", "2")]
    assert run_go(go, two) == renderer(template)(two)
