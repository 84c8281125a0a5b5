"""`llmlora evaluate` and `llmlora compare` as a user types them; the worker is made up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluation.fake_reports import evaluation_body, make_job
from llmlora.cli.main import run
from llmlora.core.publish import write_json
from llmlora.services import evaluate as service


@pytest.fixture
def job_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def work(kind: str, folder: Path, on_event: Any) -> dict[str, Any]:
        write_json(folder / "report.json", {"schema": "llmlora.evaluation/1", **evaluation_body()})
        return {}

    monkeypatch.setattr(service, "run_worker", work)
    make_job(tmp_path / "job")
    return tmp_path / "job"


def test_json_is_one_document(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(job_dir), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "llmlora.evaluation/1"
    assert document["facts"]["remembered"] == 3
    assert len(document["items"]) == 5


def test_a_person_reads_the_summary_first_and_failures_before_successes(
    job_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["evaluate", str(job_dir)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("Facts remembered 3 / 5 (before: 1)")
    assert text.index("✗ 100度") < text.index("− 水曜日") < text.index("✓ 420円")
    assert "Yellow" in text
    assert "report.html" in text


def test_options_reach_the_worker(job_dir: Path, tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text("{}", encoding="utf-8")
    words = ["--questions", str(questions), "--max-questions", "4", "--max-new-tokens", "16", "--rewrite", "--json"]
    assert run(["evaluate", str(job_dir), *words]) == 0
    config = json.loads((job_dir / "evaluation-1" / "config.json").read_text(encoding="utf-8"))
    assert (config["questions"], config["max_questions"]) == (str(questions), 4)
    assert (config["max_new_tokens"], config["rewrite"]) == (16, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["evaluate"], 2),
        (["evaluate", "{job}", "--max-questions", "0"], 2),
        (["evaluate", "{job}", "--wrong"], 2),
        (["evaluate", "{job}/nowhere"], 3),
        (["evaluate", "{job}", "--questions", "{job}/nowhere.jsonl"], 3),
        (["compare", "{job}"], 2),
        (["compare", "{job}", "{job}/nowhere"], 3),
    ],
)
def test_wrong_calls_have_their_exit_code_and_words(
    job_dir: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    assert run([word.format(job=job_dir) for word in words]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "hint:" in shown.err.lower()
    assert "Traceback" not in shown.err
    assert "error." not in shown.err


def test_jobs_are_compared(job_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = job_dir.parent / "other" / "job-b"
    other.parent.mkdir()
    make_job(other, r=32)
    assert run(["compare", str(job_dir), str(other), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["schema"] == "llmlora.compare/1"
    assert document["differences"] == [{"field": "r", "values": [8, 32]}]
    assert run(["compare", str(job_dir), str(other)]) == 0
    shown = capsys.readouterr().out
    assert "job-b" in shown
    assert "llmlora evaluate" in shown
