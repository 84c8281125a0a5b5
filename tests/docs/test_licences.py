"""The licences of what users install are permissive, as the page of dependencies says; one exception is optional."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, distribution

from architecture.source_tree import source_files
from docs.test_names import project

COPYLEFT = re.compile(r"\b[AL]?GPL|General Public License|SSPL|EUPL", re.I)
OPTIONAL = {"psycopg": {"postgres", "dev"}}  # docs/adr/0012-psycopg.md


def licence_of(name: str) -> str:
    metadata = distribution(name).metadata
    texts = [metadata.get("License-Expression") or "", (metadata.get("License") or "")[:200]]
    return " | ".join([*texts, *(line for line in metadata.get_all("Classifier") or () if line.startswith("License"))])


def needed_by(names: list[str]) -> set[str]:
    """Return the installed packages that some packages need, without their extras."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        try:
            package = distribution(name)
        except PackageNotFoundError:  # of another system
            continue
        if package.metadata["Name"].lower() in found:
            continue
        found.add(package.metadata["Name"].lower())
        lines = [line for line in package.requires or () if "extra ==" not in line]
        waiting += [re.split(r"[<>=!~;\[ (]", line)[0] for line in lines]
    return found


def test_everything_that_users_install_is_permissive() -> None:
    needed = needed_by([*project()[""], *project()["train"]])
    assert len(needed) > 40
    assert all(licence_of(name).strip(" |") for name in needed), "a licence that nobody states"
    assert not {name: licence_of(name) for name in needed if COPYLEFT.search(licence_of(name))}


def test_the_one_copyleft_library_is_an_extra_of_its_own_and_is_never_imported_here() -> None:
    direct = {name: {extra for extra, names in project().items() if name in names} for name in OPTIONAL}
    assert direct == OPTIONAL
    assert all(COPYLEFT.search(licence_of(name)) for name in OPTIONAL)

    importing = [file.name for file in source_files() if re.search(r"^\s*(from|import) psycopg", file.text, re.M)]
    assert not importing, "SQLAlchemy loads it, where somebody has installed it"
