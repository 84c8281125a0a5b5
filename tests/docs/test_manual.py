"""The manual builds without a warning, is whole in both languages, and needs nothing from other machines."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from docs.pages import DOCS, ROOT, read

BUILDER = runpy.run_path(str(ROOT / ".ci" / "build_manual.py"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the manual as a release does; a link that leads nowhere fails."""
    folder = tmp_path_factory.mktemp("manual")
    BUILDER["build"].__globals__["WORK"] = folder / "work"
    assert BUILDER["build"](folder / "site", is_strict=True) == 0
    return folder / "site"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_page_of_a_language_is_in_its_manual(site: Path, language: str) -> None:
    suffix = ".ja.md" if language == "ja" else ".md"
    names = {page.relative_to(DOCS).as_posix().removesuffix(suffix) for page in DOCS.rglob(f"*{suffix}")}
    names = {name.replace("README", "index") for name in names if not name.endswith(".ja")}
    assert len(names) > 20
    assert not [name for name in names if not (site / language / f"{name}.html").is_file()]
    assert f'lang="{language}"' in (site / language / "index.html").read_text(encoding="utf-8")


def test_pages_load_nothing_from_elsewhere_and_run_no_inline_script(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert "<script>" not in text
        assert not re.findall(r'(?:src|<link[^>]*href)="(?:https?:)?//[^"]*', text), page
        assert "<style" not in text


def test_pictures_and_pages_that_pages_name_are_there(site: Path) -> None:
    missing = []
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        for target in re.findall(r'(?:src|href)="([^"#?]+)', page.read_text(encoding="utf-8")):
            if "://" not in target and not target.startswith(("mailto:", "/")):
                missing += [f"{page}: {target}"] if not (page.parent / target).exists() else []
    assert not missing


def test_every_list_of_a_page_is_a_list(site: Path) -> None:
    page = (site / "ja" / "index.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<li>\s*<a href=\"[^\"]*guide/", page)) > 5
    text = "Words:\n- one\n  more\n- two\n\n```\nx\n- no list\n```\n1. first"
    found = BUILDER["with_lists"](text)
    assert found == "Words:\n\n- one\n  more\n- two\n\n```\nx\n- no list\n```\n\n1. first"


def test_the_other_language_is_one_click_away_from_each_page(site: Path) -> None:
    page = (site / "ja" / "guide" / "first-steps.html").read_text(encoding="utf-8")
    assert 'href="../../en/guide/first-steps.html"' in page


def test_the_builder_is_the_one_that_was_tested() -> None:
    assert BUILDER["ZENSICAL"] in read("constraints.txt").splitlines()
