"""What is no usable file, given in each role, ends with an error of ours and the exit code of the reference page."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.every_screen import make_files, no_worker
from evaluation.fake_reports import make_job
from llmlora.cli.main import run
from llmlora.services import supervisor
from unprivileged import open_folder, unprivileged

KINDS = {
    "missing": "none.jsonl",
    "folder": "folder.jsonl",
    "unreadable": "secret.jsonl",
    "empty": "empty.csv",
    "binary": "binary.jsonl",
    "device": "zero",
    "pipe": "pipe",
    "circle": "circle",
    "too long": "x" * 300,
}
NO_FILE = {"missing": "file_not_found", "circle": "file_not_found", "too long": "file_not_found"}
NO_DATA = {**NO_FILE, "folder": "not_a_file", "device": "not_a_file", "pipe": "not_a_file"}
NO_ROWS = dict.fromkeys(("unreadable", "empty", "binary"), "dataset_not_trainable")
NO_JOB = {**dict.fromkeys(KINDS, "not_a_job"), **NO_FILE}
ROLES = {
    "dataset convert {} -o out.jsonl": {
        **NO_DATA, "unreadable": "unreadable_file", "empty": "no_records", "binary": "not_utf8",
    },
    "dataset check {}": NO_DATA,
    "dataset preview {} --model nano": NO_DATA,
    "train --model nano --data {}": {**NO_DATA, **NO_ROWS},
    "train --model nano --data good.jsonl --eval-data {}": {**NO_DATA, **NO_ROWS},
    "train {}": {
        **NO_DATA, "folder": "recipe_is_folder", "unreadable": "unreadable_file", "empty": "recipe_unreadable",
        "binary": "text_not_utf8",
    },
    "train --model ./{} --data good.jsonl": {
        **dict.fromkeys(KINDS, "model_not_found"), "folder": "model_config_missing",
    },
    "evaluate job --questions {}": NO_DATA,
    "evaluate {}": NO_JOB,
    "train --resume {}": NO_JOB,
    "export {} -o e": NO_JOB,
    "merge {} -o m": NO_JOB,
    "verify {}": {**dict.fromkeys(KINDS, "not_an_export"), **NO_FILE},
}  # fmt: skip
EXIT = {
    "file_not_found": 3, "not_a_file": 3, "model_not_found": 3, "not_a_job": 3, "not_an_export": 3,
    "unreadable_file": 4, "no_records": 4, "not_utf8": 4, "dataset_not_trainable": 4, "model_config_missing": 4,
    "recipe_is_folder": 2, "recipe_unreadable": 2, "text_not_utf8": 2,
}  # fmt: skip


@pytest.fixture(scope="module")
def files() -> Iterator[Path]:
    before = Path.cwd()
    with open_folder() as folder:
        folder.chmod(0o777)
        os.chdir(folder)
        make_files()
        Path("zero").symlink_to("/dev/zero")
        make_job(Path("job"))
        yield folder
        os.chdir(before)


@pytest.mark.parametrize("role", ROLES)
def test_every_kind_of_bad_file(
    role: str, files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor.Worker, "__init__", no_worker)
    found = {}
    for kind in ROLES[role]:
        monkeypatch.setenv("LLMLORA_HOME", str(files / f"home-of-{kind == 'unreadable'}"))
        with unprivileged() if kind == "unreadable" else contextlib.nullcontext():
            exit_code = run([*role.format(KINDS[kind]).split(), "--json"])
        error = json.loads(capsys.readouterr().err.splitlines()[-1])
        assert error["what"] and error["hint"] and not error["what"].startswith("error.")
        found[kind] = (error["code"], exit_code)
    assert found == {kind: (code, EXIT[code]) for kind, code in ROLES[role].items()}


@pytest.mark.parametrize("kind", ["unreadable", "empty", "binary"])
def test_a_check_of_an_unusable_file_is_a_document_and_ends_with_4(
    kind: str, files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with unprivileged() if kind == "unreadable" else contextlib.nullcontext():
        assert run(["dataset", "check", KINDS[kind], "--json"]) == 4
    document = json.loads(capsys.readouterr().out)
    assert not document["ok"]
    assert [problem["code"] for problem in document["problems"] if problem["level"] == "error"]
