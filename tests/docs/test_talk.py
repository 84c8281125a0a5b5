"""The slides of the talk are those of the measured results, in its eight parts, with commands that exist."""

from __future__ import annotations

import re
import runpy

from docs.pages import DOCS, read
from llmlora.cli.main import VERBS

GENERATOR = runpy.run_path(str(DOCS / "talk" / "generate.py"))
MINUTES = [5, 5, 10, 10, 7, 5, 3, 5]


def test_the_deck_is_that_of_the_results() -> None:
    assert read("docs", "talk", "deck.ja.html") == GENERATOR["deck"](), "run `make docs`"


def test_it_has_the_eight_parts_in_their_time() -> None:
    text = read("docs", "talk", "slides.txt")
    listed = re.findall(r"^\| \d \| .+ \| (\d+) \|$", text, flags=re.M)
    titles = re.findall(r"^# \d\. .+（(\d+) 分）$", text, flags=re.M)
    assert [int(minutes) for minutes in listed] == MINUTES
    assert [int(minutes) for minutes in titles] == MINUTES


def test_every_table_of_results_is_filled() -> None:
    deck = read("docs", "talk", "deck.ja.html")
    assert "{{" not in deck
    assert deck.count("<table>") == 2 + len(GENERATOR["TABLES"])


def test_it_is_one_file_that_loads_nothing() -> None:
    deck = read("docs", "talk", "deck.ja.html")
    assert not re.findall(r"<(?:script|link|img)\b", deck)
    assert "url(" not in deck


def test_its_commands_exist() -> None:
    text = read("docs", "talk", "slides.txt")
    commands = re.findall(r"^llmlora (\w+)", text, flags=re.M)
    assert len(commands) >= 6
    assert set(commands) <= set(VERBS)
