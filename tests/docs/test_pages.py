"""Pages hold together: links lead somewhere, both languages say the same things, generated pages are fresh."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import DOCS, ROOT, name_of, pages

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)\s]+)?\)")
# Pages of one language: development is in English, and the list of decisions too.
ENGLISH_ONLY = ("developer/", "adr/")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [match.group(1) for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert not [target for target in local if not (page.parent / target).exists()]


def test_every_page_has_its_twin() -> None:
    names = {page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md")}
    names = {name for name in names if not name.startswith(ENGLISH_ONLY)}
    english = {name for name in names if not name.endswith(".ja.md")}
    japanese = {name.replace(".ja.md", ".md") for name in names if name.endswith(".ja.md")}
    assert english == japanese


def test_every_page_is_listed() -> None:
    for index, suffix in (("README.md", ".md"), ("README.ja.md", ".ja.md")):
        listed = {target for target, _ in LINK.findall((DOCS / index).read_text(encoding="utf-8"))}
        wanted = {
            page.relative_to(DOCS).as_posix()
            for folder in ("guide", "tutorials", "concepts", "reference", "references", "examples")
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
