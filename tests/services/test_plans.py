"""Every verb in its parts: a plan checks and writes nothing, writing makes the folder, and anybody can run it later."""

import dataclasses
from pathlib import Path

import pytest

from llmlora.core.errors import Conflict, NotFound
from llmlora.core.job import folder_kind
from llmlora.core.layout import ADAPTER_DIR
from llmlora.core.publish import read_json
from llmlora.data.read import ReadOptions
from llmlora.services import launch
from llmlora.services.compare import plan_comparison
from llmlora.services.evaluate import plan_evaluation, write_evaluation
from llmlora.services.export import plan_export, write_export
from llmlora.services.follow import follow
from llmlora.services.inspect import plan_data_inspection
from llmlora.services.job_folder import write_training
from llmlora.services.launch import Worker
from llmlora.services.merge import plan_merge
from llmlora.services.outcome import outcome
from llmlora.services.plan_training import plan_training
from llmlora.services.preview import plan_preview
from llmlora.services.resume import plan_resume, write_resume
from llmlora.services.train_request import TrainRequest
from llmlora.services.verify import plan_verification
from llmlora.services.work_folder import write_work
from llmlora.worker.frame import KINDS, folder_lock


@pytest.fixture
def job(place, tmp_path):
    """A job as its training leaves it, as far as plans look."""
    folder = write_training(plan_training(TrainRequest(str(place / "base"), place / "data.jsonl")), tmp_path / "job")
    (folder / ADAPTER_DIR).mkdir()
    return folder


def files_below(*folders):
    return {path: path.read_bytes() for folder in folders for path in sorted(Path(folder).rglob("*")) if path.is_file()}


def plans(place, job):
    """Return the plan of every verb that has a worker, with what makes its folder."""
    export = plan_export(job, job.with_name("exported"), ["Q8_0", "Q8_0"], adapter=True)
    request = TrainRequest(str(place / "base"), place / "data.jsonl", out=job.with_name("another"))
    work = job.with_name("work")
    return {
        "train": (plan_training(request), lambda plan: write_training(plan, request.out)),
        "evaluate": (plan_evaluation(job, place / "data.jsonl"), write_evaluation),
        "export": (export, write_export),
        "merge": (plan_merge(job, job.with_name("merged")), lambda plan: write_work(plan, work)),
        "prepare": (
            plan_preview(place / "data.jsonl", str(place / "base"), 3, ReadOptions(), {}),
            lambda plan: write_work(plan, work),
        ),
        "inspect": (
            plan_data_inspection(place / "data.jsonl", ReadOptions()),
            lambda plan: write_work(plan, work),
        ),
    }


@pytest.mark.parametrize("verb", ["train", "evaluate", "export", "merge", "prepare", "inspect", "verify", "resume"])
def test_a_plan_writes_nothing_and_its_folder_names_the_worker(place, job, home, monkeypatch, verb):
    monkeypatch.setattr(launch.subprocess, "Popen", lambda *_, **__: pytest.fail("a worker was started"))
    if verb == "verify":  # of an export, which has to be there
        write_export(plan_export(job, job.with_name("exported")))
    before = files_below(place, job.parent, home)
    if verb == "verify":
        plan, write = plan_verification(job.with_name("exported")), lambda plan: write_work(plan, job.with_name("work"))
    elif verb == "resume":
        plan, write = plan_resume(job), write_resume
    else:
        plan, write = plans(place, job)[verb]
    after = files_below(place, job.parent, home)
    assert {path: text for path, text in after.items() if path.name != "model-digests.json"} == before
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(plan, dataclasses.fields(plan)[0].name, None)
    folder = write(plan)
    kind = folder_kind(folder)
    assert kind == getattr(plan, "kind", "train") and kind in KINDS
    assert not (folder / "runs").exists(), "nothing ran"


def test_an_order_that_stands_twice_is_given_once(job):
    config = read_json(write_export(plan_export(job, job.with_name("out"), ["Q8_0", "F16", "Q8_0"])) / "config.json")
    assert config["quantizations"] == ["Q8_0", "F16"]


def test_a_work_folder_is_made_once(place, tmp_path):
    plan = plan_data_inspection(place / "data.jsonl", ReadOptions())
    folder = write_work(plan, tmp_path / "a" / "b")
    with pytest.raises(Conflict) as caught:
        write_work(plan, folder)
    assert caught.value.code == "folder_not_empty"


def test_an_export_that_somebody_elses_worker_is_writing_is_not_verified(job):
    folder = write_export(plan_export(job, job.with_name("exported")))
    with folder_lock(folder), pytest.raises(Conflict) as caught:
        plan_verification(folder)
    assert caught.value.code == "output_busy"
    assert plan_verification(folder).output == folder


def test_jobs_are_read_before_they_are_compared(job, tmp_path):
    with pytest.raises(NotFound):
        plan_comparison([job, tmp_path / "nothing"])
    assert [item["status"] for item in plan_comparison([job, job]).to_dict()["jobs"]] == ["queued", "queued"]


def test_what_one_wrote_another_runs_and_a_third_asks_how_it_ended(place, tmp_path):
    folder = write_work(plan_data_inspection(place / "data.jsonl", ReadOptions()), tmp_path / "work")
    worker = Worker(folder_kind(folder), folder, is_owned=False)
    events = list(follow(folder, worker.run))
    worker.process.wait()
    assert [event["type"] for event in events] == ["run_started", "run_ended"]
    ended = outcome(folder, worker.run)
    assert ended.status == "succeeded" and ended.result is not None
    assert ended.result["report"]["num_examples"] == 5
