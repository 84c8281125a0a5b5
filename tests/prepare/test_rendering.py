from __future__ import annotations

import os
import random
import subprocess
import sys
import textwrap
import time
from collections import Counter

import pytest

from llmlora.core.errors import ModelFileError
from llmlora.core.locale import LANGUAGES, error_texts, set_language
from llmlora.prepare.rendering import MAX_TEMPLATE_CHARACTERS, compile_template, has_generation_markers, render_template
from prepare.folders import CHATML

TURNS = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]


def render(text: str, add_generation_prompt: bool = False) -> str:
    """Render the two turns."""
    return render_template(
        text, "test", TURNS, {"eos_token": "</s>", "add_generation_prompt": add_generation_prompt}
    ).text


def refusal(text: str) -> ModelFileError:
    """Return the error of a template, checked to be worded in both languages."""
    with pytest.raises(ModelFileError) as caught:
        compile_template(text, "test")
        render(text)
    for language in LANGUAGES:
        set_language(language)
        texts = error_texts(caught.value)
        assert all(words and not words.startswith("error.") for words in texts.values()), texts
    return caught.value


def test_what_templates_of_the_field_use() -> None:
    text = textwrap.dedent("""\
        {% for message in messages %}
        {%- if loop.index0 > 5 %}{% break %}{% endif %}
        {{ message['role'] | upper }}: {{ message.content | trim }}{{ eos_token }}
        {% endfor %}
        {% set ns = namespace(last='') %}{% set ns.last = messages[-1].role %}{{ ns.last }}
        {{- messages[0] | tojson }}{{ raise_exception('no') if false }}{% if tools %}tools{% endif %}
        {%- if add_generation_prompt %}>{% endif %}""")
    assert render(text) == 'USER: hi</s>\nASSISTANT: hello</s>\nassistant{"role": "user", "content": "hi"}'
    assert render(text, True).endswith("}>")


def test_a_date_is_always_the_same() -> None:
    assert render("{{ strftime_now('%d %b %Y') }}") == "26 Jul 2024"


def test_generation_blocks_are_found_and_leave_no_trace() -> None:
    text = "{% for m in messages %}[{% generation %}{{ m.content }}!{% endgeneration %}]{% endfor %}"
    found = render_template(text, "test", TURNS, {})
    assert found.text == "[hi!][hello!]"
    assert [found.text[start:end] for start, end in found.spans] == ["hi!", "hello!"]
    assert has_generation_markers(text) and has_generation_markers("{%- generation -%}")
    assert not has_generation_markers("{{ generation }}")


def test_a_mistake_is_shown_by_its_line() -> None:
    with pytest.raises(ModelFileError) as caught:
        compile_template("{{ messages }}\n  {% for message of messages %}\n{% endfor %}", "test")
    words = error_texts(caught.value)
    assert "line 2" in words["what"]
    assert words["why"].endswith(": {% for message of messages %}")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{% for %}", "template_syntax"),
        ("{{ 'a' }", "template_syntax"),
        ("{% include 'x' %}", "template_refused"),
        ("{{ raise_exception('roles must alternate') }}", "template_refused"),
        ("{{ messages[9].content.x }}", "template_refused"),
        ("{{ messages + 1 }}", "template_refused"),
        ("{{ 1 // 0 }}", "template_refused"),
        ("{{ ''.__class__.__mro__ }}", "template_unsafe"),
        ("{{ messages.append(1) }}", "template_unsafe"),
        ("{{ ''.__class__.__base__.__subclasses__() }}", "template_unsafe"),
        ("{{ cycler.__init__.__globals__ }}", "template_unsafe"),
        ("{{ raise_exception.__globals__.os }}", "template_unsafe"),
        ("{{ 'a' * 10**10 }}", "template_unsafe"),
        ("{{ [0] * 10**9 }}", "template_unsafe"),
        ("{{ 10**9 * 'a' }}", "template_unsafe"),
        ("{{ 9 ** 9 ** 9 }}", "template_unsafe"),
        ("{{ '%9999999999d' % 1 }}", "template_unsafe"),
        ("{{ '%*d' % (10**9, 1) }}", "template_unsafe"),
        ("{{ '%9999999999d' | format(1) }}", "template_unsafe"),
        ("{{ '{:9999999999}'.format(1) }}", "template_unsafe"),
        ("{{ 'a' | center(10**9) }}", "template_unsafe"),
        ("{{ 'a'.ljust(10**9) }}", "template_unsafe"),
        ("{{ ('a' * 10**6).replace('a', 'b' * 10**6) }}", "template_unsafe"),
        ("{{ ('a' * 10**6) | replace('a', 'b' * 10**6) }}", "template_unsafe"),
        ("{% for i in range(10**7) %}{% endfor %}", "template_unsafe"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "template_unsafe"),
        ("{{ " + "(" * 300 + "1" + ")" * 300 + " }}", "template_unsafe"),
        ("x" * (MAX_TEMPLATE_CHARACTERS + 1), "template_too_large"),
    ],
)
def test_hostile_and_broken_templates(text: str, code: str) -> None:
    assert refusal(text).code == code


PIECES = (
    "{{", "}}", "{%", "%}", "for m in messages", "endfor", "if", "endif", "m.content", "messages", " ", "'a'", "*", "+",
    "~", "|", "trim", "(", ")", "[0]", "99999999", "range(9999)", "set x =", "x", "loop.last", "generation",
    "endgeneration", "macro f()", "endmacro", "f()", ".__class__", "namespace(s='a')", "tojson", "\n", "-", "%", "join",
)  # fmt: skip


def scrambled(chance: random.Random) -> str:
    """Return a template made of pieces: whole statements, most of them wrong."""
    wholes = (CHATML, "{% for m in messages %}{{ m.content }}{% endfor %}", "{{ 'a' * 9 }}")
    words = list(chance.choice(wholes).split(" "))
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(words) + 1)
        words[place : place + chance.randrange(3)] = chance.choices(PIECES, k=chance.randrange(3))
    return " ".join(words)


@pytest.mark.parametrize(
    ("seed", "count"), [(1, 400), pytest.param(2, 10_000, marks=[pytest.mark.gate, pytest.mark.timeout(1200)])]
)
def test_scrambled_templates_are_refused_or_work(seed: int, count: int) -> None:
    chance = random.Random(seed)
    codes: Counter[str] = Counter()
    for _ in range(count):
        text = scrambled(chance)
        started = time.monotonic()
        try:
            codes["sound"] += isinstance(render(text), str)
        except ModelFileError as error:
            codes[error.code] += 1
        assert time.monotonic() - started < 10, text
    assert set(codes) <= {"sound", "template_syntax", "template_refused", "template_unsafe", "template_timeout"}
    assert min(codes["sound"], codes["template_syntax"]) > count / 20


LOOPS = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
DOUBLING = (
    "{% set ns = namespace(s='a' * 100000) %}{% for i in range(99) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}"
)
BLOCKS = (
    "{% set ns = namespace(s='a' * 100000) %}{% for i in range(99) %}"
    "{% set t %}{{ ns.s }}{{ ns.s }}{% endset %}{% set ns.s = t %}{% endfor %}"
)
OUTPUT = "{% set s = 'a' * 1000000 %}{% for i in range(99999) %}{{ s }}{% endfor %}"


def test_an_endless_loop_meets_the_deadline() -> None:
    started = time.monotonic()
    assert refusal(LOOPS).code == "template_timeout"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("text", [DOUBLING, BLOCKS, OUTPUT])
def test_bombs_stop_within_the_memory_they_are_given(text: str) -> None:
    """In a child: the peak memory of this process would stay high for all later tests."""
    code = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from llmlora.core.errors import ModelFileError\n"
        "from llmlora.prepare.rendering import render_template\n"
        "try:\n    render_template(sys.argv[1], 'bomb', [], {})\n"
        "except ModelFileError as error:\n    print(error.code)\n"
        "status = Path('/proc/self/status')\n"
        "peak = re.search(r'VmHWM:\\s+(\\d+)', status.read_text()) if status.exists() else None\n"
        "print(int(peak.group(1)) >> 10 if peak else 0)\n"
    )
    child = subprocess.run(
        [sys.executable, "-c", code, text], capture_output=True, text=True, timeout=60, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    error, megabytes = child.stdout.split()
    assert error in ("template_unsafe", "template_timeout")
    assert int(megabytes) < 6000
