"""Every help page is in the user's language, typer's own words included."""

import re

import pytest
from rich.cells import cell_len

from cli.command_line import run
from llmlora.cli import main
from llmlora.cli.help_page import wrapped
from llmlora.core.locale import LANGUAGES

BELOW = [["dataset", "check"], ["dataset", "convert"], ["dataset", "preview"], ["dataset", "add"]]
BELOW += [["jobs", "list"], ["jobs", "logs"], ["jobs", "clone"], ["config", "path"], ["store", "rebuild"]]
PAGES = [[], *([verb] for verb in main.VERBS), *BELOW]
TYPERS_OWN = (
    "Usage:",
    "Arguments:",
    "Options:",
    "Commands:",
    "[required]",
    "Show this",
    "Show the",
    "completion for",
    "default:",
    "OPTIONS",
    "COMMAND",
    "<path>",
    "<str>",
    "<int",
    "<float>",
    "<list",
)


def page(words, language, capsys):
    assert main.run([*words, "--help", "--lang", language]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_a_japanese_page_has_none_of_typers_english_words(words, capsys):
    found = page(words, "ja", capsys)
    assert found.startswith(f"使い方: {' '.join(['llmlora', *words])} ")
    assert not [text for text in TYPERS_OWN if text in found]
    assert "この説明を表示して終わります。" in found


def test_an_english_page_is_english_throughout():
    found = run("merge", "--help", "--lang", "en").stdout
    assert re.match(r"Usage: .*llmlora merge ", found)
    assert found.isascii()
    assert "[required]" in found


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_page_has_a_sentence_for_every_verb(language, capsys):
    """`ollama` stood there beside the name of a text that nobody had written."""
    found = page([], language, capsys)
    assert all(re.search(rf"^  {verb} +\S", found, re.MULTILINE) for verb in main.VERBS)
    assert "cli." not in found


def test_a_page_that_a_missing_word_shows_is_worded_as_well(capsys):
    assert main.run(["dataset", "--lang", "ja"]) == 2
    assert "コマンド:" in capsys.readouterr().err


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_line_is_wider_than_the_screen(words, language, capsys, monkeypatch):
    """A Japanese letter takes two columns; a name that is longer than its column stands alone in its line."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = page(words, language, capsys).splitlines()
    assert max(map(cell_len, lines)) <= 80


def test_text_breaks_by_width_and_no_line_begins_with_a_full_stop():
    assert wrapped("学習データ、評価。", 10) == ["学習デー", "タ、評価。"]
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("値は --set r=16 です", 12) == ["値は --set", "r=16 です"]
    assert wrapped("", 8) == [""]
