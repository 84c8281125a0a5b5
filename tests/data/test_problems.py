"""Findings: codes have words in both languages, places are kept, counts cover what is not shown."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import llmlora.data
from llmlora.core.errors import DatasetError, DatasetRowError
from llmlora.core.locale import LANGUAGES, catalogue, set_language
from llmlora.data.problems import SHOWN_PER_CODE, Problem, ProblemLog, error, from_exception, warning

FOLDER = Path(llmlora.data.__file__).parent
MAKERS = {
    "error": "error",
    "DatasetError": "error",
    "wrong": "error",
    "JsonError": "error",
    "warning": "warning",
    "_pattern_check": "warning",
}


def codes_in_source() -> set[tuple[str, str]]:
    """Return (level, code) of every finding that is written out in the room."""
    found = set()
    for path in FOLDER.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or not node.args:
                continue
            codes = [leaf.value for leaf in ast.walk(node.args[0]) if isinstance(leaf, ast.Constant)]
            if node.func.id in MAKERS:
                found |= {(MAKERS[node.func.id], code) for code in codes if isinstance(code, str) and "_" in code}
    return found


def test_the_scan_finds_codes() -> None:
    assert {("error", "missing_answer"), ("error", "not_utf8"), ("warning", "zero_width")} <= codes_in_source()
    assert len(codes_in_source()) > 70


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_has_words(language: str) -> None:
    texts = catalogue(language)
    missing = []
    for level, code in codes_in_source():
        keys = [f"error.{code}.{part}" for part in ("what", "why", "hint")]
        keys = keys if level == "error" else [f"data.{code}.message", f"data.{code}.hint"]
        missing += [key for key in keys if key not in texts]
    assert not missing


def test_a_problem_speaks_both_languages() -> None:
    problem = error("missing_answer", 3, 2, None, "回答")
    set_language("ja")
    assert problem.to_dict()["message"] == "「回答」がありません（値なし、または null）。"
    set_language("en")
    shown = problem.to_dict()
    assert shown["message"] == '"回答" is missing or null.'
    assert (shown["level"], shown["code"], shown["line"], shown["row"], shown["column"], shown["field"]) == (
        "error", "missing_answer", 3, 2, None, "回答",
    )  # fmt: skip
    assert "--drop-invalid" in shown["hint"]


def test_problems_and_exceptions_say_the_same() -> None:
    problem = error("ragged_row", 4, 3, expected=2, found=5)
    raised = problem.to_error()
    assert isinstance(raised, DatasetRowError)
    assert from_exception(raised) == problem
    assert from_exception(DatasetError("no_records")) == error("no_records")


def test_a_log_counts_all_and_keeps_the_first_of_each_code() -> None:
    log = ProblemLog()
    for line in range(1, 101):
        log.add(warning("zero_width", line))
    for line in range(50, 40, -1):
        log.add(error("blank_answer", line))
    assert log.counts == {"zero_width": 100, "blank_answer": 10}
    assert log.num_errors == 10
    kept = log.problems()
    assert [problem.level for problem in kept] == ["error"] * 10 + ["warning"] * SHOWN_PER_CODE
    assert [problem.line for problem in kept[:10]] == list(range(41, 51))
    assert isinstance(kept[0], Problem)


DROPPING = {"ja": ("--drop-invalid", "「誤りのある行を除く」"), "en": ("--drop-invalid", "Leave out rows with errors")}
WITH_OTHERS = {"rows_with_errors", "no_rows_left"}  # said only where other rows remain, or none was asked for


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_hint_leaves_out_every_row(language: str) -> None:
    """A hint to leave a row out has a sibling for a file in which no row would remain."""
    texts = catalogue(language)
    named = {
        key for key, text in texts.items() if key.startswith("error.") and any(w in text for w in DROPPING[language])
    }
    codes = {key.split(".")[1] for key in named if ".hint" in key} - WITH_OTHERS
    assert len(codes) > 8
    for code in codes:
        siblings = [text for key, text in texts.items() if key.startswith(f"error.{code}.hint_none_good")]
        assert siblings, code
        assert not [text for text in siblings if any(word in text for word in DROPPING[language])]
