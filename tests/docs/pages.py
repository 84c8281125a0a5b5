"""The project's Markdown pages, and how to read commands and names out of them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
TOP = ("README.md", "README.ja.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")


def pages() -> list[Path]:
    return [ROOT / name for name in TOP] + sorted(DOCS.rglob("*.md"))


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def read(*parts: str) -> str:
    return ROOT.joinpath(*parts).read_text(encoding="utf-8")


def code_names(text: str) -> set[str]:
    """Return everything written as `code` outside of blocks."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S)))


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of every table row that is not a head or a rule."""
    lines = text.splitlines()
    rows = []
    for number, line in enumerate(lines):
        is_head = number + 1 < len(lines) and re.match(r"^\|[-| ]+\|$", lines[number + 1])
        if line.startswith("|") and not is_head and not re.match(r"^\|[-| ]+\|$", line):
            rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def shell_commands(text: str, program: str) -> list[list[str]]:
    """Return the words of every line of a shell block that starts a program, without comments and values."""
    found = []
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.S):
        for line in block.splitlines():
            words = re.sub(r"\s#.*", "", line).split()
            if words and words[0].split("/")[-1] == program:
                found.append(words[1:])
    return found
