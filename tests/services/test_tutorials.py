"""The steps of a lesson against a workspace: what is there ticks them, and what differs is said."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluation.fake_reports import planned_job, summary
from llmlora.core.config import TrainConfig
from llmlora.core.errors import NotFound
from llmlora.core.events import EventWriter
from llmlora.core.job import DataSource, write_job
from llmlora.core.layout import RESULT_FILE, new_id, run_dir
from llmlora.core.publish import write_json
from llmlora.data.edit import RowChange
from llmlora.services.dataset_files import keep_sample
from llmlora.services.dataset_versions import change_row
from llmlora.services.queue import Queue
from llmlora.services.tutorial_documents import lesson_summary, lesson_view
from llmlora.services.tutorial_steps import keep_folder, mark_read, steps_of
from llmlora.services.tutorials import Lesson, find_lesson, find_step
from llmlora.services.workspace import open_workspace

LESSON = find_lesson(1)
JOB = LESSON.jobs["main"]


@pytest.fixture
def queue(home: Path) -> Iterator[Queue]:
    with open_workspace() as opened:
        yield opened


def lesson_job(
    folder: Path,
    *,
    lesson: Lesson = LESSON,
    key: str = "main",
    loss: float | None = None,
    base: str = "nano",
    **settings: Any,
) -> None:
    """Write a finished job as the lesson wants it, but for `settings`; its losses lie in the ranges, or are `loss`."""
    rows, measured = lesson.measured["rows"], lesson.jobs[key].measured
    planned = planned_job(rows)
    chosen = {**lesson.jobs[key].settings, **measured["settings"], **settings}
    train = TrainConfig.model_validate({**planned.train.model_dump(), **chosen})
    data = DataSource(path=str(lesson.data_path), sha256=lesson.data_sha256)
    folder.mkdir(parents=True)
    update = {"id": folder.name, "data": data, "train": train, "base_model": base, "num_rows": rows}
    write_job(folder, planned.model_copy(update=update))
    run = run_dir(folder, 1)
    run.mkdir(parents=True)
    events = EventWriter(run, 1)
    steps, epochs = (least(measured.get(name, 1)) for name in ("num_steps", "epochs"))
    length = steps // epochs  # a combined job has no steps
    for epoch, (low, high) in measured["loss"].items():
        for step in range(length):
            metrics = {"loss": (low + high) / 2 if loss is None else loss}
            events.emit("step", step=(int(epoch) - 1) * length + step + 1, metrics=metrics)
    events.emit("run_ended", status="succeeded", result=summary())
    events.close()
    (folder / "adapter").mkdir()
    write_json(run / RESULT_FILE, summary())


def least(measured: Any) -> Any:
    """Return a measured number, or the lower end where runs with other seeds differ."""
    return measured[0] if isinstance(measured, list) else measured


def evaluated(folder: Path, as_trained: int, in_other_words: int) -> None:
    counts = {
        "as_trained": as_trained,
        "asked_as_trained": JOB.measured["facts"]["total"],
        "in_other_words": in_other_words,
        "asked_in_other_words": JOB.measured["other_words"]["total"],
    }
    report = folder / "evaluation-1" / "report.json"
    report.parent.mkdir()
    write_json(report, {"schema": "llmlora.evaluation/1", "facts": counts})


def states(queue: Queue) -> dict[str, str]:
    return {state.step.id: state.state for state in steps_of(queue, LESSON)}


def found(queue: Queue, step: str) -> list[tuple[str, dict[str, Any]]]:
    (state,) = [state for state in steps_of(queue, LESSON) if state.step.id == step]
    return [(finding.code, dict(finding.params)) for finding in state.findings]


@pytest.fixture
def practice(queue: Queue, tmp_path: Path) -> Path:
    folder = tmp_path / "level1"
    folder.mkdir()
    keep_folder(queue.database.home, LESSON, folder)
    return folder


def test_nothing_is_done_in_an_empty_workspace(queue: Queue) -> None:
    assert set(states(queue).values()) == {"open"}
    assert lesson_summary(queue, LESSON)["num_done"] == 0


def test_the_data_ticks_its_step_only_while_it_is_the_lessons(queue: Queue) -> None:
    keep_sample(queue.database, "sample_code_data")
    assert states(queue)["data"] == "open"
    row = keep_sample(queue.database, "level1_basic_qa")
    assert states(queue)["data"] == "done"
    assert found(queue, "data") == [("dataset", {"name": row.name, "rows": 5})]


def test_edited_data_are_named(queue: Queue) -> None:
    row = keep_sample(queue.database, "level1_basic_qa")
    change_row(queue.database, row.id, 1, RowChange(1, {"output": "9時です。"}))
    assert states(queue)["data"] == "differs"
    assert found(queue, "data")[0][0] == "dataset_edited"


def test_a_job_of_the_folder_of_practice_ticks_training_and_losses(queue: Queue, practice: Path) -> None:
    lesson_job(practice / "job")
    assert {name: states(queue)[name] for name in ("train", "watch", "evaluate")} == {
        "train": "done",
        "watch": "done",
        "evaluate": "open",
    }


def test_a_job_of_the_workspace_counts_as_well(home: Path) -> None:
    identifier = new_id()
    lesson_job(home / "jobs" / identifier)
    with open_workspace() as queue:
        assert states(queue)["train"] == "done"
        (state,) = [state for state in steps_of(queue, LESSON) if state.step.id == "train"]
        assert state.job_id == identifier


def test_other_settings_are_named_one_by_one(queue: Queue, practice: Path) -> None:
    lesson_job(practice / "job", r=8, learning_rate=1e-5)
    assert states(queue)["train"] == "differs"
    rate = str(JOB.measured["settings"]["learning_rate"])
    assert found(queue, "train") == [
        ("setting", {"name": "r", "expected": "4", "found": "8"}),
        ("setting", {"name": "learning_rate", "expected": rate, "found": "1e-05"}),
    ]


def test_of_two_jobs_the_one_that_is_the_lessons_counts(queue: Queue, practice: Path) -> None:
    lesson_job(practice / "a-first-try", r=8)
    assert states(queue)["train"] == "differs"
    lesson_job(practice / "another")
    assert states(queue)["train"] == "done"


@pytest.mark.parametrize("level", [2, 3])
def test_each_job_of_a_lesson_with_several_counts_for_its_own_step(queue: Queue, practice: Path, level: int) -> None:
    lesson = find_lesson(level)
    keep_folder(queue.database.home, lesson, practice)
    for key in lesson.jobs:
        lesson_job(practice / key, lesson=lesson, key=key)
    of_jobs = {state.step.id: state for state in steps_of(queue, lesson) if state.step.kind in ("job", "loss")}
    assert {state.state for state in of_jobs.values()} == {"done"}
    made = [state for state in of_jobs.values() if state.step.kind == "job"]
    folders = {state.step.job: state.findings[0].params["folder"] for state in made}
    assert folders == {key: key for key in lesson.jobs}


def test_losses_outside_of_their_ranges_are_named(queue: Queue, practice: Path) -> None:
    lesson_job(practice / "job", loss=9.0)
    assert states(queue)["watch"] == "differs"
    code, params = found(queue, "watch")[0]
    assert (code, params["epoch"], params["loss"]) == ("loss_outside", 1, 9.0)
    assert len(found(queue, "watch")) == 3


@pytest.mark.parametrize("fewer", [False, True])
def test_facts_are_held_against_what_was_measured(queue: Queue, practice: Path, fewer: bool) -> None:
    lesson_job(practice / "job")
    low = JOB.measured["facts"]["known"][0]
    evaluated(practice / "job", low - fewer, JOB.measured["other_words"]["known"][0])
    assert states(queue)["evaluate"] == ("differs" if fewer else "done")
    assert found(queue, "evaluate")[0][0] == ("facts_fewer" if fewer else "facts")


def test_another_base_is_not_held_against_the_bundled_one(queue: Queue, practice: Path) -> None:
    lesson_job(practice / "job", base="smollm2", loss=9.0, learning_rate=1e-3)
    assert (states(queue)["train"], states(queue)["watch"]) == ("done", "done")
    assert found(queue, "watch") == [("other_base", {"name": "smollm2"})]


def test_a_step_that_is_read_is_kept_and_taken_back(queue: Queue) -> None:
    home, step = queue.database.home, find_step(LESSON, "look")
    mark_read(home, LESSON, step)
    mark_read(home, LESSON, step)
    assert states(queue)["look"] == "done"
    assert json.loads((home / "tutorials.json").read_text())["1"]["read"] == ["look"]
    mark_read(home, LESSON, step, is_read=False)
    assert states(queue)["look"] == "open"


def test_the_document_has_text_words_and_pages(queue: Queue, practice: Path) -> None:
    lesson_job(practice / "job", r=8)
    keep_sample(queue.database, "level1_basic_qa")
    shown = {step["id"]: step for step in lesson_view(queue, LESSON)["steps"]}
    assert "llmlora train" in shown["train"]["text"]
    assert "r" in shown["train"]["texts"][0]
    assert shown["data"]["page"] == f"/datasets/{shown['data']['dataset_id']}"
    assert shown["chat"]["page"] == "/chat"


def test_unknown_levels_and_steps_are_refused() -> None:
    with pytest.raises(NotFound, match="tutorial_not_found"):
        find_lesson(9)
    with pytest.raises(NotFound, match="tutorial_step_not_found"):
        find_step(LESSON, "nowhere")
