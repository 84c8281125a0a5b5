"""Every awkward file gets its verdict, with the right place; none crashes, and words are complete in both languages."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from data.awkward_files import CASES, Case
from llmlora.core.errors import DatasetError
from llmlora.core.locale import set_language
from llmlora.data.read import ReadOptions, iter_examples
from llmlora.data.validate import CheckReport, check_dataset

SECONDS = 2.0


def checked(folder: Path, case: Case) -> CheckReport:
    path = folder / case.name
    path.write_bytes(case.data)
    return check_dataset(path)


def test_the_corpus_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_verdict(tmp_path: Path, case: Case) -> None:
    started = time.process_time()
    report = checked(tmp_path, case)
    assert time.process_time() - started < SECONDS
    found = [(problem.code, problem.line, problem.column) for problem in report.problems]
    assert report.ok is case.ok, found
    codes = [code for code, _, _ in found]
    if case.code is None and case.ok:
        assert set(codes) <= {"too_few_rows", "unused_columns"}, found
    if case.code is not None:
        assert case.code in codes
        assert case.line is None or (case.code, case.line) in [place[:2] for place in found], found
        assert case.column is None or (case.code, case.line, case.column) in found, found
    assert case.rows is None or report.num_examples == case.rows


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reading_agrees_with_checking(tmp_path: Path, case: Case) -> None:
    report = checked(tmp_path, case)
    if report.ok:
        assert len(list(iter_examples(tmp_path / case.name, ReadOptions()))) == report.num_examples
    else:
        with pytest.raises(DatasetError) as raised:
            list(iter_examples(tmp_path / case.name, ReadOptions()))
        code = raised.value.params.get("first_code", raised.value.code)
        assert code in {problem.code for problem in report.problems if problem.level == "error"}


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_finding_is_worded(tmp_path: Path, language: str) -> None:
    set_language(language)
    wordless = set()
    for case in CASES:
        for problem in checked(tmp_path, case).to_dict()["problems"]:
            for text in (problem["message"], problem["hint"]):
                broken = text.startswith(("data.", "error.")) or "None" in text or "{line}" in text
                if broken and problem["code"] != "python_literal":
                    wordless.add((case.name, problem["code"], text))
    assert not wordless
