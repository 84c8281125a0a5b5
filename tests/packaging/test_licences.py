"""What an installation brings has a permissive licence; packages that have another are named with the reason."""

from __future__ import annotations

import re
from functools import cache
from importlib import metadata

import pytest

from architecture.source_tree import source_files
from docs.pages import read
from docs.test_names import project

PERMISSIVE = re.compile(
    r"(0BSD|Apache|(3-Clause )?BSD|BSL-1\.0|CC0-1\.0|CNRI-Python|ISC|LLVM-exception|MIT|PSF-2\.0|Zlib)\b"
)
# Weaker than the promise "MIT, BSD or Apache", and used unchanged.
OTHERS = {
    "certifi": "MPL-2.0: root certificates for transformers' downloads",
    "pathspec": "MPL-2.0: Zensical reads .gitignore with it, only to build the manual",
    "psycopg": "LGPL-3.0: the driver of PostgreSQL, only with the extra `postgres`",
    "psycopg-binary": "LGPL-3.0: the same, compiled",
    "tqdm": "MPL-2.0 and MIT: progress bars inside transformers",
}


def package_name(requirement: str) -> str:
    return re.split(r"[\s<>=!~;\[(]", requirement)[0].lower().replace("_", "-")


@cache
def installed_with() -> dict[str, str]:
    """Return the licence of each installed package that our own dependencies bring along."""
    found: dict[str, str] = {}
    open_names = [package_name(name) for extra in ("", "train", "postgres", "docs") for name in project()[extra]]
    while open_names:
        name = open_names.pop()
        if name in found:
            continue
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # for another system or Python
            continue
        found[name] = licence(package.metadata)
        open_names += [package_name(line) for line in package.requires or () if "extra ==" not in line]
    return found


def licence(about: metadata.PackageMetadata) -> str:
    """Return what a package says its licence is: the expression, else its classifiers, else its own words."""
    classifiers = [line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License ::")]
    return about.get("License-Expression") or " AND ".join(classifiers) or (about.get("License") or "").split("\n")[0]


def is_permissive(text: str) -> bool:
    """Tell whether all parts of a licence that have to be kept are permissive; of an OR one is enough."""
    parts = re.split(r" (?:AND|WITH) ", text)
    return all(any(PERMISSIVE.match(choice.strip("( )")) for choice in part.split(" OR ")) for part in parts)


def test_what_is_installed_is_permissive_but_for_the_named_ones() -> None:
    found = installed_with()
    assert {"torch", "fastapi", "markupsafe", "pydantic-core"} <= set(found)  # far down, too
    assert {name for name, text in found.items() if not text or not is_permissive(text)} <= set(OTHERS)


@pytest.mark.parametrize(
    ("text", "permissive"),
    [
        ("MIT", True),
        ("Apache Software License", True),
        ("Apache-2.0 OR BSD-2-Clause", True),
        ("GPL-3.0-only OR MIT", True),
        ("MPL-2.0 AND MIT", False),
        ("GNU General Public License v3 (GPLv3)", False),
        ("LGPL-3.0-only", False),
        ("3-Clause BSD License", True),
    ],
)
def test_licences_are_told_apart(text: str, permissive: bool) -> None:
    assert is_permissive(text) == permissive


def test_the_copyleft_driver_is_an_extra_of_its_own_and_is_never_imported_here() -> None:
    """SQLAlchemy loads it by the name in the address, where a user has installed it (docs/adr/0012-psycopg.md)."""
    assert {extra for extra, names in project().items() if "psycopg" in names} == {"postgres", "dev"}
    assert not [file.name for file in source_files() if re.search(r"^\s*(from|import) psycopg", file.text, re.M)]


@pytest.mark.parametrize("language", ["", ".ja"])
def test_the_exceptions_stand_in_the_page(language: str) -> None:
    text = read("docs", "reference", f"dependencies{language}.md")
    assert not [name for name in OTHERS if f"`{name.removesuffix('-binary')}`" not in text]
