"""Every help page is in the user's language, typer's own words included."""

import re

import pytest
from rich.cells import cell_len

from cli.command_line import run
from llmlora.cli import main
from llmlora.cli.help_page import wrapped
from llmlora.core.locale import GROUPS, LANGUAGES, catalogue, translate

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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_verb_below_a_group_has_one_whole_sentence(language, capsys):
    """Japanese has no spaces to cut at: `tutorial check` had nothing but three dots."""
    for group in GROUPS:
        listed = page([group], language, capsys).partition(translate("cli.page.commands"))[2]
        names = [line.split()[0] for line in listed.splitlines() if re.match(r"  \S", line)]
        assert len(names) == len(re.findall(r"^  \S+ +\S", listed, re.MULTILINE)) > 0
        assert "..." not in listed and ": llmlora" not in listed
        assert all(line.endswith((".", "。")) for line in re.split(r"\n(?=  \S)", listed.strip()))


@pytest.mark.parametrize("words", PAGES[1:], ids=" ".join)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_example_is_one_command_in_one_line(words, language, capsys, monkeypatch):
    """On a narrow screen, too: the terminal folds a line, and what is copied from it stays one command."""
    texts = [line for either in LANGUAGES for text in catalogue(either).values() for line in text.splitlines()]
    monkeypatch.setenv("COLUMNS", "50")
    examples = re.findall(r"^  ([^.。\n]*: llmlora .*)$", page(words, language, capsys), re.MULTILINE)
    assert all(line in texts and line.count("llmlora ") == 1 for line in examples)


def test_a_mark_stays_whole_and_no_line_ends_with_an_opening_bracket():
    assert wrapped("ジョブの番号か名前。  [必須]", 22) == ["ジョブの番号か名前。", "[必須]"]
    assert wrapped("結果。  [既定値: 20; 1<=x<=500]", 26) == ["結果。", "[既定値: 20; 1<=x<=500]"]
    assert wrapped("応答の上限（トークン）", 12) == ["応答の上限", "（トークン）"]
    assert wrapped("学習・評価・会話", 10) == ["学習・評", "価・会話"]


def test_text_breaks_by_width_and_no_line_begins_with_a_full_stop():
    assert wrapped("学習データ、評価。", 10) == ["学習デー", "タ、評価。"]
    assert wrapped("one two three", 8) == ["one two", "three"]
    assert wrapped("値は --set r=16 です", 12) == ["値は --set", "r=16 です"]
    assert wrapped("", 8) == [""]
