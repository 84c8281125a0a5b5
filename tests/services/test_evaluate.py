"""The evaluate service before any worker starts: what it refuses, and where an evaluation goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluation.fake_reports import evaluation_body, make_job
from llmlora.core.errors import ConfigError, InputError, NotFound, RunError
from llmlora.core.locale import set_language
from llmlora.core.publish import read_document, read_json, write_json
from llmlora.services import evaluate as service
from llmlora.services.evaluate import evaluate, newest_evaluation


@pytest.fixture
def job_dir(tmp_path: Path) -> Path:
    make_job(tmp_path / "job")
    return tmp_path / "job"


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Stand in for the worker: note the folder, leave a report."""
    folders: list[Path] = []

    def run(kind: str, folder: Path, on_event: Any) -> dict[str, Any]:
        assert kind == "evaluate"
        folders.append(folder)
        write_json(folder / "report.json", {"schema": "llmlora.evaluation/1", **evaluation_body()})
        return {}

    monkeypatch.setattr(service, "run_worker", run)
    return folders


def test_evaluations_are_numbered(job_dir: Path, worker: list[Path]) -> None:
    (job_dir / "evaluation-7").mkdir()
    (job_dir / "evaluation-old").mkdir()
    reports = [evaluate(job_dir), evaluate(str(job_dir))]
    assert [folder.name for folder in worker] == ["evaluation-8", "evaluation-9"]
    assert reports[1]["folder"] == str(worker[1])
    assert reports[1]["report_page"] == str(worker[1] / "report.html")


def test_the_folder_says_what_was_asked(job_dir: Path, worker: list[Path], tmp_path: Path) -> None:
    questions = tmp_path / "q.jsonl"
    questions.write_text("{}", encoding="utf-8")
    evaluate(job_dir, questions, max_questions=3, max_new_tokens=9, rewrite=True)
    config = read_json(worker[0] / "config.json")
    assert config["job_dir"] == str(job_dir)
    assert config["questions"] == str(questions)
    assert (config["max_questions"], config["max_new_tokens"], config["rewrite"]) == (3, 9, True)
    assert config["language"] == "en"


@pytest.mark.parametrize("option", [{"max_questions": 0}, {"max_new_tokens": 0}, {"max_new_tokens": -1}])
def test_impossible_options_are_refused(job_dir: Path, worker: list[Path], option: dict[str, int]) -> None:
    with pytest.raises(ConfigError) as caught:
        evaluate(job_dir, **option)
    assert caught.value.params["name"] in option
    assert not worker


def test_what_is_missing_is_named(job_dir: Path, worker: list[Path], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    cases = {
        "file_not_found": lambda: evaluate(tmp_path / "nowhere"),
        "not_a_job": lambda: evaluate(tmp_path / "empty"),
    }
    for code, call in cases.items():
        with pytest.raises(NotFound) as caught:
            call()
        assert caught.value.code == code
    with pytest.raises(NotFound) as caught:
        evaluate(job_dir, tmp_path / "no-questions.jsonl")
    assert caught.value.params["path"].endswith("no-questions.jsonl")
    (job_dir / "adapter").rmdir()
    with pytest.raises(NotFound) as caught:
        evaluate(job_dir)
    assert caught.value.code == "job_not_finished"
    assert not worker


@pytest.mark.parametrize(("error", "stays"), [(InputError("x"), False), (RunError("x"), True)])
def test_only_a_crash_leaves_its_folder(
    job_dir: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, stays: bool
) -> None:
    def fail(*_: Any) -> dict[str, Any]:
        raise error

    monkeypatch.setattr(service, "run_worker", fail)
    with pytest.raises(type(error)):
        evaluate(job_dir)
    assert (job_dir / "evaluation-1").exists() is stays


def test_the_newest_finished_evaluation_counts(job_dir: Path) -> None:
    assert newest_evaluation(job_dir) is None
    for number in (2, 10):
        (job_dir / f"evaluation-{number}").mkdir()
        write_json(job_dir / f"evaluation-{number}" / "report.json", {"number": number})
    (job_dir / "evaluation-11").mkdir()
    assert newest_evaluation(job_dir) == {"number": 10}


def test_the_folder_says_where_the_base_lies_now(job_dir: Path, worker: list[Path], tmp_path: Path) -> None:
    evaluate(job_dir, model=tmp_path / "moved")
    evaluate(job_dir)
    assert read_json(worker[0] / "config.json")["model"] == str(tmp_path / "moved")
    assert read_json(worker[1] / "config.json")["model"] is None


@pytest.mark.parametrize("text", ["", "{", "[1, 2", "3", '"text"'])
def test_a_damaged_report_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "evaluation-1" / "report.json"
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_document(path)
    assert caught.value.params["path"] == str(path)
    assert caught.value.params["folder"] == str(path.parent)


def test_two_evaluations_at_once_get_folders_of_their_own(job_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second starts while the first has its folder but no report yet."""
    folders: list[Path] = []

    def run(kind: str, folder: Path, on_event: Any) -> dict[str, Any]:
        folders.append(folder)
        if len(folders) == 1:
            evaluate(job_dir)
        write_json(folder / "report.json", evaluation_body())
        return {}

    monkeypatch.setattr(service, "run_worker", run)
    evaluate(job_dir)
    assert [folder.name for folder in folders] == ["evaluation-1", "evaluation-2"]


def test_a_number_that_another_process_takes_first_is_passed_over(
    job_dir: Path, worker: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    (job_dir / "evaluation-1").mkdir()
    monkeypatch.setattr(service, "evaluation_numbers", lambda _: [])
    evaluate(job_dir)
    assert worker[0].name == "evaluation-2"


def test_the_language_of_the_command_reaches_the_report(job_dir: Path, worker: list[Path]) -> None:
    set_language("ja")
    evaluate(job_dir)
    assert read_json(worker[0] / "config.json")["language"] == "ja"
