"""Pages hold together: links lead somewhere, both languages say the same things, generated pages are fresh."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import DOCS, ROOT, code_names, name_of, pages, table_rows

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]+)?\)")
# Pages of one language: the decisions but for their list and the first, which is about the sources.
ENGLISH_ONLY = re.compile(r"adr/00(?!01)")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [match.group(1) for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert not [target for target in local if not (page.parent / target).exists()]


def test_every_page_has_its_twin() -> None:
    names = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    names = {name for name in names if not ENGLISH_ONLY.match(name)}
    english = {name for name in names if not name.endswith(".ja.md")}
    japanese = {name.replace(".ja.md", ".md") for name in names if name.endswith(".ja.md")}
    assert english == japanese


def test_every_page_is_listed() -> None:
    for index, suffix in (("README.md", ".md"), ("README.ja.md", ".ja.md")):
        listed = {target for target, _ in LINK.findall((DOCS / index).read_text(encoding="utf-8"))}
        wanted = {
            page.relative_to(DOCS).as_posix()
            for folder in ("guide", "tutorials", "concepts", "reference", "references", "examples", "developer")
            for page in (DOCS / folder).glob("*.md")
            if page.name.endswith(".ja.md") == (suffix == ".ja.md")
        }
        assert wanted <= listed


def commands(page: Path) -> list[str]:
    blocks = re.findall(r"```(?:sh|yaml|text)\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.S)
    lines = [" ".join(re.sub(r"#.*", "", line).split()) for line in "".join(blocks).splitlines()]
    return [line for line in lines if line.startswith("llmlora")]


def test_twins_show_the_same_commands() -> None:
    for page in DOCS.rglob("*.ja.md"):
        if page.parent.name != "reference":
            assert commands(page) == commands(page.with_name(page.name.replace(".ja.md", ".md"))), page.name


@pytest.mark.parametrize("name", ["developer/architecture", "developer/queue", "developer/web", "adr/0001-deviations"])
def test_a_translated_page_names_what_its_original_names(name: str) -> None:
    """Names in code and rows of tables, of pages that are written by hand twice."""
    texts = [(DOCS / f"{name}{suffix}").read_text(encoding="utf-8") for suffix in (".md", ".ja.md")]
    assert len(table_rows(texts[0])) == len(table_rows(texts[1]))
    english, japanese = ({code for code in code_names(text) if re.fullmatch(r"[\w.()]+", code)} for text in texts)
    assert not english ^ japanese


def test_both_readmes_show_the_same_commands_and_commands_first() -> None:
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ja.md")]
    blocks = [re.findall(r"```sh\n(.*?)```", text, flags=re.S) for text in texts]
    japanese = "export LLMLORA_LANG=ja"
    assert [text.count(f"```sh\n{japanese}") for text in texts] == [0, 3]
    commands = [[re.sub(r"\s+#.*", "", line) for line in "".join(block).splitlines()] for block in blocks]
    assert commands[0] == [line for line in commands[1] if line != japanese]
    assert commands[0][:2] == ["make demo", "make test"]
    assert all(text.index("make demo") < 700 for text in texts)


def test_generated_pages_are_fresh() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    child = [sys.executable, str(DOCS / "generate.py"), "--check"]
    finished = subprocess.run(child, capture_output=True, text=True, env=environment, check=False)
    assert finished.returncode == 0, f"run `make docs`\n{finished.stdout}{finished.stderr}"
