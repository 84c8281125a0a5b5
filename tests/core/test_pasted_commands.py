"""Commands in texts can be pasted into a shell, whatever the paths in them are called."""

from __future__ import annotations

import re
import shlex
from string import Formatter

import pytest

from llmlora.core.locale import LANGUAGES, catalogue, set_language, shell_word, translate

AWKWARD = ["my job (2)", "🦊 $HOME", "it's", 'a"b', "-rf", "C:\\new\\job", "a;b&c", "データ", "~/x", "*", "a\nb"]
COMMAND = re.compile(r"(?:llmlora (?:[a-z]+ )+|\bcd )[^。\n]*")
# Options, fields, numbers and names of packages: they hold nothing that a shell would take apart.
WORDS = {
    "first", "further", "name", "needed", "num_tokens", "max_length", "settings", "package", "extra", "time", "wanted",
    "words",
}  # fmt: skip


def placed_in_commands(text: str) -> set[tuple[str, str | None]]:
    """Return the (name, conversion) of what is filled into the commands of a text."""
    found: set[tuple[str, str | None]] = set()
    for command in COMMAND.findall(text):
        try:
            parts = list(Formatter().parse(command))
        except ValueError:  # braces that are cut off: none of ours
            continue
        found |= {(name, conversion) for _, name, _, conversion in parts if name}
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_filled_into_a_command_is_quoted(language: str) -> None:
    bare = {
        (key, name)
        for key, text in catalogue(language).items()
        for name, conversion in placed_in_commands(text)
        if conversion != "q" and name not in WORDS
    }
    assert not bare


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("place", AWKWARD)
def test_a_pasted_command_names_the_same_place(language: str, place: str) -> None:
    set_language(language)
    seen = 0
    for key, text in catalogue(language).items():
        names = {name for name, conversion in placed_in_commands(text) if conversion == "q"}
        if not names:
            continue
        others = {name for _, name, _, _ in Formatter().parse(text) if name} - names
        filled = translate(key, **dict.fromkeys(others, "-"), **dict.fromkeys(names, place))
        command = COMMAND.search(filled)
        assert command and shell_word(place) in filled[command.start() :]
        seen += 1
    assert seen > 10


@pytest.mark.parametrize("place", AWKWARD)
def test_a_word_stays_one_word_and_never_becomes_an_option(place: str) -> None:
    (word,) = shlex.split(shell_word(place))
    assert word.removeprefix("./") == place
    assert not word.startswith("-")
