"""The word lists of the fact rules; the words themselves are data in words.txt."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def _sections() -> dict[str, frozenset[str]]:
    text = (resources.files("llmlora.evaluation.facts") / "words.txt").read_text(encoding="utf-8")
    found: dict[str, set[str]] = {}
    name = ""
    for line in text.splitlines():
        if line.startswith("[") and line.endswith("]"):
            name = line[1:-1]
            found[name] = set()
        elif name and not line.startswith("#"):
            found[name].update(line.split())
    return {section: frozenset(words) for section, words in found.items()}


def words(section: str) -> frozenset[str]:
    """Return the words of one section."""
    return _sections()[section]


def alternatives(section: str) -> str:
    """Return the words of a section as a regular expression that tries long ones first."""
    return "|".join(sorted((_escaped(word) for word in words(section)), key=len, reverse=True))


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace(".", "\\.")
