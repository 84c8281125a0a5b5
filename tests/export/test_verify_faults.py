"""Planted faults: verification catches each one and names its cause."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
# fault -> causes one of which the first failed check must name
CAUSES = {
    "wrong_template": ("template",),
    "missing_eos": ("end_token",),
    "wrong_eos": ("end_token",),
    "reordered_heads": ("row_order",),
    "changed_weight": ("values",),
    "wrong_rope": ("rope",),
    "wrong_epsilon": ("settings",),
    "swapped_tokens": ("vocabulary",),
    "duplicate_token": ("duplicate_tokens",),
    "wrong_file_type": ("file_type",),
    "cut_off": ("header",),
    "faulty_converter": ("weights",),
}
# faults that show when the file is run too, whatever its header says
SEEN_IN_USE = {
    "wrong_template": "template",
    "wrong_rope": "logprobs",
    "wrong_epsilon": "logprobs",
    "reordered_heads": "logprobs",
    "changed_weight": "logprobs",
    "swapped_tokens": "tokenizer",
}

Verdicts = dict[str, list[dict[str, Any]]]
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    folder = tmp_path_factory.mktemp("faults")
    environment = {**os.environ, "PYTHONPATH": f"{TESTS.parent / 'src'}{os.pathsep}{TESTS}"}
    program = [sys.executable, str(TESTS / "export" / "planted_faults.py"), str(folder)]
    finished = subprocess.run(program, env=environment, capture_output=True, text=True, check=False, timeout=850)
    assert finished.returncode == 0, finished.stderr[-3000:]
    return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))


def test_the_right_file_passes_every_check(verdicts: Verdicts):
    checks = verdicts["nothing"]
    assert [check["check"] for check in checks] == ["file", "tensors", "tokenizer", "template", "logprobs", "stop"]
    assert all(check["ok"] for check in checks)
    measured = {check["check"]: check["measured"] for check in checks}
    assert measured["tokenizer"]["num_texts"] >= 200
    assert measured["template"]["num_shapes"] == 5
    assert measured["logprobs"]["num_contexts"] >= 24
    assert measured["tensors"]["max_relative_rmse"] == 0.0


@pytest.mark.parametrize("fault", CAUSES)
def test_each_fault_is_caught_and_named(fault: str, verdicts: Verdicts):
    first = next(check for check in verdicts[fault] if not check["ok"])
    assert first["cause"] in CAUSES[fault]
    assert first["detail"]


@pytest.mark.parametrize(("fault", "check"), SEEN_IN_USE.items())
def test_faults_are_also_seen_by_running_the_file(fault: str, check: str, verdicts: Verdicts):
    assert not next(entry for entry in verdicts[fault] if entry["check"] == check)["ok"]


@pytest.mark.parametrize("fault", ["duplicate_token", "cut_off"])
def test_files_that_may_abort_the_process_are_not_run(fault: str, verdicts: Verdicts):
    assert [check["check"] for check in verdicts[fault]] == ["file"]


def test_every_cause_is_worded_in_both_languages(verdicts: Verdicts):
    from llmlora.core.locale import catalogue

    causes = {check["cause"] for checks in verdicts.values() for check in checks if check["cause"]}
    for language in ("ja", "en"):
        assert not [cause for cause in causes if f"export.cause.{cause}" not in catalogue(language)]
