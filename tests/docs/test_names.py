"""Names in the pages exist in the code, and names of the code stand in the pages."""

from __future__ import annotations

import ast
import itertools
import json
import re
import runpy
import tomllib
from functools import cache
from typing import get_args

import pytest

import llmlora
from docs.pages import DOCS, ROOT, code_names, name_of, pages, read, shell_commands, table_rows
from llmlora.cli import main as cli
from llmlora.core import errors, events, layout
from llmlora.core.config import TrainConfig
from llmlora.core.errors import LlmloraError
from llmlora.core.locale import GROUPS, catalogue

LANGUAGES = ("", ".ja")
PACKAGE = ROOT / "src" / "llmlora"
SHARED_OPTIONS = {*cli.FLAGS, "--lang", "--help", "--version"}
# Constants of core.layout that no user meets.
INTERNAL_NAMES: set[str] = set()


def source_text() -> str:
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py")))


@cache
def options_of(*verb: str) -> set[str]:
    """Return the options in the help page of a command."""
    reference = read("docs", "reference", "cli.md")
    title = f"## llmlora {' '.join(verb)}\n"
    assert title in reference, f"docs/reference/cli.md has no {title}"
    section = reference.split(title, 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"(?<![\w-])(--?[a-zA-Z][\w-]*)", section))


def project() -> dict[str, list[str]]:
    """Return the names of the packages that pyproject.toml asks for, by extra ("" is the base)."""
    declared = tomllib.loads(read("pyproject.toml"))["project"]
    groups = {"": declared["dependencies"], **declared["optional-dependencies"]}
    return {extra: [re.split(r"[<>=!~\[ ;]", line)[0] for line in lines] for extra, lines in groups.items()}


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_commands_in_pages_exist(page) -> None:
    problems = []
    for words in shell_commands(page.read_text(encoding="utf-8"), "llmlora"):
        verbs = [word for word in words if not word.startswith("-")]
        if words[0] not in cli.VERBS:
            problems += [word for word in words[:1] if word not in SHARED_OPTIONS]
            continue
        verb = [*verbs, "list"][:2] if words[0] in GROUPS else verbs[:1]
        options = {word.partition("=")[0] for word in words if re.match(r"^--?[a-zA-Z]", word)}
        problems += [f"{' '.join(words)}: {name}" for name in options - options_of(*verb) - SHARED_OPTIONS]
        settings = [word for before, word in itertools.pairwise(words) if before == "--set"]
        problems += [word for word in settings if word.partition("=")[0] not in TrainConfig.model_fields]
    assert not problems


def test_readme_names_every_command() -> None:
    for language in LANGUAGES:
        text = read(f"README{language}.md")
        assert not [verb for verb in cli.VERBS if not re.search(rf"`(llmlora )?{verb}\b", text)]


def test_make_targets_in_pages_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), flags=re.M))
    named = {words[0] for page in pages() for words in shell_commands(page.read_text(encoding="utf-8"), "make")}
    assert named <= targets
    assert {"demo", "test", "check", "gates", "bench", "docs", "clean"} <= targets


@pytest.mark.parametrize(("language", "quoted"), [("ja", "「(.+?)」"), ("en", '"(.+?)"')])
def test_the_manual_of_the_page_quotes_names_that_stand_there(language: str, quoted: str) -> None:
    text = read("docs", "guide", "page.ja.md" if language == "ja" else "page.md")
    texts = catalogue(language)
    names = {value for key, value in texts.items() if key.startswith(("web.", "config.", "api.sample."))}
    assert not set(re.findall(quoted, text)) - names
    sections = set(re.findall(r"^## 「?(.+?)」?$", text, flags=re.M))
    short = {"home", "data", "more"}  # names in the bar of a phone
    pages = {value for key, value in texts.items() if re.fullmatch(r"web\.page\.\w+", key) and key[9:] not in short}
    assert len(pages) >= 10
    assert pages <= sections


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_picture_of_the_manual_is_taken_by_the_script(language: str) -> None:
    text = read("docs", "guide", "page.ja.md" if language == "ja" else "page.md")
    shown = set(re.findall(rf"\(\.\./images/([\w-]+)\.{language}\.png\)", text))
    assert shown == set(runpy.run_path(str(ROOT / "tests" / "web" / "manual_pictures.py"))["PICTURES"])
    assert {path.name for path in (DOCS / "images").glob(f"*.{language}.png")} == {
        f"{name}.{language}.png" for name in shown
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_exit_codes_are_those_of_the_classes(language: str) -> None:
    documented = {}
    for code, _, classes in table_rows(read("docs", "reference", f"exit-codes{language}.md")):
        for name in code_names(classes):
            documented.setdefault(name, set()).add(int(code))
    real = {
        name: {75, 130} if name == "Stopped" else {value.exit_code}
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, LlmloraError) and value is not LlmloraError
    }
    assert documented == real


def test_one_error_code_has_one_exit_code() -> None:
    pattern = re.compile(r"(?<![\w.])([A-Z]\w+)\(\s*\"([a-z][a-z0-9_]+)\"")
    exits: dict[str, dict[int, str]] = {}
    for name, code in pattern.findall(source_text()):
        error_class = vars(errors).get(name)
        if isinstance(error_class, type) and issubclass(error_class, LlmloraError):
            exits.setdefault(code, {})[error_class.exit_code] = name
    assert not {code: found for code, found in exits.items() if len(found) > 1}


@pytest.mark.parametrize("language", LANGUAGES)
def test_job_folder_page_names_files_and_events(language: str) -> None:
    text = read("docs", "reference", f"job-folder{language}.md")
    files = {
        value
        for name, value in vars(layout).items()
        if name.isupper() and isinstance(value, str) and not name.startswith("_") and name not in INTERNAL_NAMES
    }
    assert not [name for name in files if name not in text]
    documented = set().union(*(code_names(row[0]) for row in table_rows(text)))
    assert documented == set(get_args(events.EventType))


@pytest.mark.parametrize("language", LANGUAGES)
def test_environment_page_names_every_variable(language: str) -> None:
    text = read("docs", "reference", f"environment{language}.md")
    used = set(re.findall(r"LLMLORA_[A-Z_]+", source_text()))
    assert set(re.findall(r"LLMLORA_[A-Z_]+", text)) == used
    assert set(re.findall(r"LLMLORA_[A-Z_]+", read(".env.example"))) <= used


@pytest.mark.parametrize("language", LANGUAGES)
def test_python_page_names_the_public_functions(language: str) -> None:
    text = read("docs", "reference", f"python-api{language}.md")
    titles = set(re.findall(r"^## (\w+)$", text, flags=re.M))
    assert titles == set(llmlora.__all__) - {"__version__"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_json_page_names_every_document(language: str) -> None:
    text = read("docs", "reference", f"json{language}.md")
    nouns = set(re.findall(r"print_json\(\s*\"(\w+)\"", source_text())) | {"error"}
    assert set(re.findall(r"^## .*`llmlora\.(\w+)/1`", text, flags=re.M)) == nouns


@pytest.mark.parametrize("language", LANGUAGES)
def test_dependency_page_names_every_dependency(language: str) -> None:
    sections = re.split(r"^## ", read("docs", "reference", f"dependencies{language}.md"), flags=re.M)[1:]
    pins = read("tests", "real-models.txt")
    models = sorted(set(re.findall(r"^([a-z].*?)(?:-part\d)?==", pins, flags=re.M)))
    expected = [*(project()[extra] for extra in ("", "train", "gpu", "postgres", "trackers", "docs")), models]
    *of_python, of_pages = sections
    package = json.loads(read("web", "package.json"))
    named = {name for row in table_rows(of_pages) for name in re.findall(r"`([^`]+)`", row[0])}
    assert named == {*package["dependencies"], *package["devDependencies"]}
    for section, names in zip(of_python, expected, strict=True):
        rows = table_rows(section)
        assert [row[0].split("`")[1] for row in rows] == names
        assert all(len(row) == 4 and all(row) for row in rows)


def test_every_dependency_is_used() -> None:
    packages = {"PyYAML": "yaml", "pydantic-settings": "pydantic_settings"}
    packages["python-dotenv"] = "dotenv"
    packages["python-multipart"] = "fastapi"  # which loads it to read a form
    imported = {
        name.split(".")[0]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    needed = [packages.get(name, name) for name in (*project()[""], *project()["train"])]
    assert not [name for name in needed if name.lower() not in {found.lower() for found in imported}]


def test_constraints_pin_everything_exactly_and_name_no_place() -> None:
    lines = read("constraints.txt").splitlines()
    pinned = {line.split("==")[0].lower().replace("_", "-") for line in lines}
    assert not [line for line in lines if not re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][A-Za-z0-9.]*", line)]
    wanted = {name.lower().replace("_", "-") for extra in ("", "train", "dev") for name in project()[extra]}
    assert wanted <= pinned


@pytest.mark.parametrize("language", LANGUAGES)
def test_architecture_page_lists_the_rooms_and_their_packages(language: str) -> None:
    from architecture.test_imports import PACKAGES

    sections = read("docs", "developer", f"architecture{language}.md").split("\n## ")
    (text,) = (section for section in sections if "`src/llmlora/`" in section.splitlines()[0])
    rooms = {name for row in table_rows(text) for name in code_names(row[0])}
    assert rooms - {"assets", "locales"} == set(PACKAGES) - {""}


def test_ci_runs_what_a_user_runs() -> None:
    assert "make test" in read(".ci", "run")
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
    assert DOCS.is_dir()
