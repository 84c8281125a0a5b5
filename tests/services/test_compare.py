"""Jobs side by side: only what differs, the best marked, incomparable numbers said to be so."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from evaluation.fake_reports import ROWS, evaluation_body, make_job, old_body, summary
from llmlora.core.errors import ConfigError, InputError, NotFound
from llmlora.core.layout import LOCK_FILE
from llmlora.core.publish import read_json, write_json
from llmlora.services.compare import compare


def add_job(root: Path, name: str, result: dict[str, Any] | None = None, **settings: Any) -> Path:
    folder = root / name / "job"
    (root / name).mkdir()
    make_job(folder, steps=0, **settings)
    write_json(folder / "runs" / "1" / "result.json", summary(**(result or {})))
    return folder


def add_evaluation(folder: Path, body: dict[str, Any]) -> None:
    (folder / "evaluation-1").mkdir()
    write_json(folder / "evaluation-1" / "report.json", {"schema": "llmlora.evaluation/1", **body})


def metric(result: dict[str, Any], name: str) -> dict[str, Any]:
    return next(entry for entry in result["metrics"] if entry["name"] == name)


def test_only_differing_settings_are_listed(tmp_path: Path) -> None:
    first = add_job(tmp_path, "a", r=8)
    second = add_job(tmp_path, "b", r=16, stages=[{"learning_rate": 1e-4, "epochs": 1}], lr_scheduler_type="staged")
    result = compare([first, str(second)])
    assert [entry["field"] for entry in result["differences"]] == ["r", "lr_scheduler_type", "stages"]
    assert result["differences"][0]["values"] == [8, 16]
    assert [job["folder"] for job in result["jobs"]] == [str(first), str(second)]


def test_the_best_is_marked_by_direction(tmp_path: Path) -> None:
    jobs = [
        add_job(tmp_path, "a", {"final_loss": 0.5, "tokens_per_second": 100.0, "eval_loss": None, "seconds": 3.0}),
        add_job(tmp_path, "b", {"final_loss": 0.2, "tokens_per_second": 90.0, "eval_loss": 1.0, "seconds": 3.0}),
        add_job(tmp_path, "c", {"final_loss": 0.2, "tokens_per_second": 80.0, "eval_loss": None, "seconds": 3.0}),
    ]
    result = compare(jobs)
    assert metric(result, "final_loss")["best"] == [1, 2]
    assert metric(result, "tokens_per_second")["best"] == [0]
    assert metric(result, "eval_loss") == {
        "name": "eval_loss",
        "better": "lower",
        "values": [None, 1.0, None],
        "best": [],
    }
    assert metric(result, "seconds")["best"] == []


def test_the_time_is_that_of_all_steps_over_every_run(tmp_path: Path) -> None:
    """`seconds` of a result is how long the last run took, which after an interruption is a part of it."""
    resumed = add_job(tmp_path, "a", {"seconds": 3.0, "training_seconds": 9.5})
    older = add_job(tmp_path, "b", {"seconds": 4.0})
    assert metric(compare([resumed, older]), "seconds")["values"] == [9.5, 4.0]


def test_the_newest_evaluation_is_compared(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a"), add_job(tmp_path, "b")
    add_evaluation(first, evaluation_body())
    add_evaluation(second, evaluation_body([(*row[:3], row[1]) for row in ROWS]))
    result = compare([first, second])
    assert metric(result, "facts_remembered")["values"] == [0.6, 1.0]
    assert metric(result, "facts_broken")["best"] == [1]
    assert metric(result, "term_accuracy")["values"] == [0.5, 1.0]
    assert metric(result, "consistency")["values"] == [None, None]
    assert metric(result, "safety")["values"] == [0.5, 0.5]
    assert result["notes"] == []


def test_incomparable_numbers_are_named(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a"), add_job(tmp_path, "b")
    third, fourth = add_job(tmp_path, "c"), tmp_path / "d" / "job"
    fourth.parent.mkdir()
    make_job(fourth, steps=0, ended=None)
    add_evaluation(first, evaluation_body())
    add_evaluation(second, evaluation_body(ROWS[:2]))
    config = read_json(second / "config.json")
    config["data"]["sha256"] = "2" * 64
    write_json(second / "config.json", config)
    result = compare([first, second, third, fourth])
    codes = [note["code"] for note in result["notes"]]
    assert codes == ["different_data", "different_questions", "not_evaluated", "not_finished"]
    assert [job["status"] for job in result["jobs"]] == ["succeeded", "succeeded", "succeeded", "interrupted"]
    assert "data" in [entry["field"] for entry in result["differences"]]


def test_of_numbers_that_cannot_be_compared_none_is_the_best(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a", {"final_loss": 0.5}), add_job(tmp_path, "b", {"final_loss": 0.2})
    add_evaluation(first, evaluation_body())
    add_evaluation(second, evaluation_body([(*row[:3], row[1]) for row in ROWS]))

    def decided() -> set[str]:
        return {entry["name"] for entry in compare([first, second])["metrics"] if entry["best"]}

    assert {"final_loss", "facts_remembered"} <= decided()
    config = read_json(second / "config.json")
    config["data"]["sha256"] = "2" * 64
    write_json(second / "config.json", config)
    assert "final_loss" not in decided() and "facts_remembered" in decided()
    write_json(second / "evaluation-1" / "report.json", {"schema": "llmlora.evaluation/1", **evaluation_body(ROWS[:2])})
    assert not {"final_loss", "facts_remembered", "facts_broken", "chrf"} & decided()


def test_one_job_is_not_a_comparison(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        compare([add_job(tmp_path, "a")])


def test_what_is_no_job_is_named(tmp_path: Path) -> None:
    first = add_job(tmp_path, "a")
    with pytest.raises(NotFound):
        compare([first, tmp_path])
    with pytest.raises(NotFound):
        compare([first, tmp_path / "nowhere"])


def test_the_same_job_twice_is_said(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a"), add_job(tmp_path, "b")
    (tmp_path / "link").symlink_to(first)
    notes = compare([first, second, tmp_path / "link"])["notes"]
    assert notes[0] == {"code": "same_job", "params": {"jobs": "job"}}
    assert "same_job" not in [note["code"] for note in compare([first, second])["notes"]]


def test_a_job_that_runs_is_compared_by_its_settings(tmp_path: Path) -> None:
    first, running = add_job(tmp_path, "a"), tmp_path / "b" / "job"
    running.parent.mkdir()
    make_job(running, ended=None, r=32)
    with (running / LOCK_FILE).open("a+") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        result = compare([first, running])
    assert [job["status"] for job in result["jobs"]] == ["succeeded", "running"]
    assert {"field": "r", "values": [8, 32]} in result["differences"]
    assert all(entry["values"][1] is None for entry in result["metrics"])
    assert [note["params"] for note in result["notes"] if note["code"] == "not_finished"] == [{"jobs": "job"}]


def test_a_failed_job_shows_the_result_of_no_run(tmp_path: Path) -> None:
    first, failed = add_job(tmp_path, "a"), tmp_path / "b" / "job"
    failed.parent.mkdir()
    make_job(failed, ended="failed")
    result = compare([first, failed])
    assert result["jobs"][1]["status"] == "failed"
    assert metric(result, "final_loss")["values"] == [0.212, None]


def test_the_result_of_the_newest_finished_run_counts(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a"), add_job(tmp_path, "b")
    for run, loss in ((2, 0.1), (10, 0.05)):
        directory = second / "runs" / str(run)
        directory.mkdir()
        write_json(directory / "result.json", summary(final_loss=loss))
    assert metric(compare([first, second]), "final_loss")["values"] == [0.212, 0.05]


def test_a_job_without_facts_has_no_share_of_them(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a"), add_job(tmp_path, "b")
    add_evaluation(first, evaluation_body())
    body = evaluation_body()
    body["facts"].update(total=0, remembered=0)
    body["forgetting"] = None
    add_evaluation(second, body)
    result = compare([first, second])
    assert metric(result, "facts_remembered")["values"] == [0.6, None]
    assert metric(result, "forgetting_loss_rise")["values"] == [0.32, None]


def test_evaluations_of_older_versions_are_compared(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a"), add_job(tmp_path, "b")
    add_evaluation(first, old_body())
    body = evaluation_body()
    body["facts"].update(in_other_words=1, asked_in_other_words=4)
    add_evaluation(second, body)
    result = compare([first, second])
    assert metric(result, "facts_in_other_words")["values"] == [None, 0.25]
    assert metric(result, "forgetting_loss_rise")["values"] == [0.16, 0.32]


def test_a_damaged_result_is_named(tmp_path: Path) -> None:
    first, second = add_job(tmp_path, "a"), add_job(tmp_path, "b")
    (second / "runs" / "1" / "result.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        compare([first, second])
    assert caught.value.params["path"].endswith("runs/1/result.json")
