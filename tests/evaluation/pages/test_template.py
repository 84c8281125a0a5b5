"""Templates, words and style of the report pages: safe, readable, shipped whole."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError
from pathspec import GitIgnoreSpec

from llmlora.core.locale import LANGUAGES, set_language, translate
from llmlora.evaluation.pages.template import environment, render
from llmlora.evaluation.pages.words import DASH, coded, date_time, number, percent, seconds_text, size_text

ROOT = Path(__file__).parents[3]
STYLE = (resources.files("llmlora.evaluation.pages") / "templates" / "page.css").read_text(encoding="utf-8")


def filled(source: str, **values: object) -> str:
    return environment().from_string(source).render(**values)


def code_in(text: str) -> str:
    return str(environment().get_template("parts.html").module.code_in(text))


def colours() -> dict[str, tuple[str, str]]:
    """Return light and dark value of each colour of the style sheet."""
    return {name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((#\w+), (#\w+)\)", STYLE)}


def contrast(first: str, second: str) -> float:
    """Return the contrast of two colours as WCAG defines it."""

    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("ink", ["ink", "ink-2", "accent", "good", "bad", "warn"])
def test_text_is_readable_on_every_ground(ink: str, theme: int) -> None:
    grounds = {
        "ink": ["paper", "sheet", "sunk", "good-soft"],
        "ink-2": ["paper", "sheet", "sunk"],
        "accent": ["paper", "sheet", "accent-soft"],
    }
    for ground in grounds.get(ink, ["paper", "sheet", f"{ink}-soft"]):
        assert contrast(colours()[ink][theme], colours()[ground][theme]) >= 4.5, ground


def test_the_style_loads_nothing_and_sets_japanese_well() -> None:
    assert not re.search(r"url\(|@import|https?:", STYLE)
    body = re.search(r"body \{(.*?)\}", STYLE, re.S)
    assert body
    assert all(word in body[1] for word in ("sans-serif", "line-break: strict", "text-autospace", "overflow-wrap"))
    assert "system-ui" not in STYLE
    assert "italic" not in STYLE
    assert "tabular-nums" in STYLE


def test_every_colour_of_the_style_is_defined() -> None:
    assert set(re.findall(r"var\(--([\w-]+)\)", STYLE)) <= set(colours())


@given(st.text(max_size=60))
def test_no_text_becomes_markup(text: str) -> None:
    made = filled('<p title="{{ text }}">{{ text }}</p>', text=text)
    inside = made[made.index(">") + 1 : -len("</p>")]
    assert not re.search(r"[<>\"']", inside)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", made)
    assert made.count("<") == 2
    assert made.count('"') == 2


def test_what_turns_the_direction_of_text_is_shown() -> None:
    assert filled("{{ text }}", text="a\u202eb\u2066c\u200fd") == "a\ufffdb\ufffdc\u200fd"


@pytest.mark.parametrize("text", ["{{7*7}}", "{% raw %}", "{# x #}", "{{ t.__globals__ }}"])
def test_what_looks_like_a_template_is_text(text: str) -> None:
    set_language("en")
    assert filled("<p>{{ text }}</p>", text=text) == f"<p>{text}</p>"
    assert code_in(text) == text


def test_what_a_macro_made_is_not_escaped_twice() -> None:
    assert code_in("1 < 2 --set r=8") == "1 &lt; 2 <code>--set r=8</code>"


def test_a_name_that_is_not_given_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render("training.html", job=SimpleNamespace(folder="x"))
    with pytest.raises(UndefinedError):
        filled("{{ nothing }}")


def test_no_template_switches_escaping_off() -> None:
    for name in environment().list_templates():
        source, *_ = environment().loader.get_source(environment(), name)
        assert not re.search(r"\|\s*safe|autoescape|Markup|<script|\son\w+=|\sstyle=|javascript:", source), name


def test_the_wheel_carries_the_templates() -> None:
    """The wheel holds all of `src/llmlora` but what git ignores, and the built pages besides."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"] == {"packages": ["src/llmlora"]}
    assert (set(build), build["artifacts"]) == (
        {"targets", "artifacts", "hooks"},
        ["src/llmlora/web/dist", "src/llmlora/web/manual"],
    )
    ignored = GitIgnoreSpec.from_lines((ROOT / ".gitignore").read_text(encoding="utf-8").splitlines())
    folder = "src/llmlora/evaluation/pages/templates"
    names = {path.name for path in (ROOT / folder).iterdir()}
    assert names == set(environment().list_templates())
    assert not [name for name in names if ignored.match_file(f"{folder}/{name}")]
    assert {"page.html", "parts.html", "training.html", "evaluation.html", "page.css"} <= names


def test_numbers_are_written_for_people() -> None:
    set_language("en")
    assert [number(None), number(1234.5678), number(12345, 0)] == [DASH, "1,234.568", "12,345"]
    assert [percent(None), percent(0.125), percent(1)] == [DASH, "12 %", "100 %"]
    assert [size_text(None), size_text(612e6)] == [DASH, "612 MB"]
    assert [seconds_text(None), seconds_text(14.24), seconds_text(90), seconds_text(5400)] == [
        DASH, "14.2 s", "1.5 min", "90.0 min",
    ]  # fmt: skip


def test_a_time_is_local_and_what_is_none_stays() -> None:
    set_language("en")
    assert re.fullmatch(r"2026-11-2\d \d\d:\d\d", date_time("2026-11-21T12:00:00+00:00"))
    assert date_time("yesterday") == "yesterday"
    set_language("ja")
    assert re.fullmatch(r"2026年11月2\d日 \d\d:\d\d", date_time("2026-11-21T12:00:00+00:00"))


def test_options_and_commands_are_code() -> None:
    text = "Try --set r=16 --set stages=[] or llmlora dataset check FILE, then --rewrite."
    codes = ["--set r=16", "--set stages=[]", "llmlora dataset check FILE", "--rewrite"]
    assert [piece for piece, is_code in coded(text) if is_code] == codes
    assert "".join(piece for piece, _ in coded(text)) == text
    assert re.findall(r"<code>(.*?)</code>", code_in(text)) == codes


@pytest.mark.parametrize("language", LANGUAGES)
def test_code_in_every_note_ends_where_the_command_ends(language: str) -> None:
    set_language(language)
    text = translate("evaluation.note.no_held_out_rows")
    assert re.findall(r"<code>(.*?)</code>", code_in(text)) == ["--eval-data", "--set validation_split=0.1"]
    text = translate("evaluation.compare.note_not_evaluated", jobs="a")
    assert re.findall(r"<code>(.*?)</code>", code_in(text)) == ["llmlora evaluate DIR"]
