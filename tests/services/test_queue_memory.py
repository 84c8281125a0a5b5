"""A training job for which the memory is too small goes on by itself with a smaller micro-batch (fault F7)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from llmlora.core.errors import Conflict
from llmlora.core.events import read_job_events
from llmlora.core.job import earlier_settings, read_job, stored_settings, update_job, use_less_memory
from llmlora.engine.checkpoint import find_checkpoint
from llmlora.services import queue_rules
from llmlora.services.job_folder import write_training
from llmlora.services.launcher import LocalLauncher, StartedProcess
from llmlora.services.plan_training import plan_training
from llmlora.services.queue import Queue
from llmlora.services.train_request import training_request
from llmlora.store.opening import open_store
from llmlora.store.statuses import ENDED
from services.fake_launcher import supervise, tick_until

SCRIPT = Path(__file__).with_name("small_memory_worker.py")
LIMITED = Path(__file__).with_name("limited_memory_worker.py")
MANY_ROWS = 16
SETTINGS = {
    "max_steps": 6,
    "per_device_train_batch_size": 4,
    "gradient_accumulation_steps": 1,
    "save_steps": 1,
    "logging_steps": 1,
    "dtype": "float32",
}


class SmallMemory(LocalLauncher):
    """Starts the real worker where little fits."""

    def launch(self, kind, folder, run, resources):
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        words = [sys.executable, str(SCRIPT), str(folder), str(run)]
        process = subprocess.Popen(words, start_new_session=True, stdin=subprocess.DEVNULL, env=environment)
        return StartedProcess(SimpleNamespace(process=process))


class LimitedMemory(LocalLauncher):
    """Starts the real worker with a limit of its address space."""

    def __init__(self, num_bytes):
        self.num_bytes = num_bytes

    def launch(self, kind, folder, run, resources):
        process = subprocess.Popen(limited_worker(folder, run, self.num_bytes), start_new_session=True, env=searched())
        return StartedProcess(SimpleNamespace(process=process))


def limited_worker(folder, run, num_bytes):
    return [sys.executable, str(LIMITED), str(folder), str(run), str(num_bytes)]


def searched():
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "1"}


@pytest.fixture
def planned(home, place):
    return plan_training(training_request(str(place / "base"), place / "data.jsonl", settings=SETTINGS))


def test_a_job_that_runs_out_of_memory_ends_with_all_steps_and_the_same_effective_batch(planned, home, monkeypatch):
    monkeypatch.setattr(queue_rules, "RETRY_SECONDS", (0.05, 0.1))
    database, folder = open_store(home), write_training(planned)
    queue = Queue(database)
    job = queue.submit("train", folder, name="small", job_id=planned.job.id)
    tick_until(supervise(database, SmallMemory()), lambda: queue.get(job.id).status in ENDED, 120)
    job = queue.get(job.id)
    assert job.status == "succeeded", job.error
    assert [(run.outcome, run.reason) for run in queue.runs(job.id)] == [("failed", "less_memory"), ("succeeded", None)]
    before = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 1}
    after = {"per_device_train_batch_size": 2, "gradient_accumulation_steps": 2}
    [change] = read_job(folder).changes
    assert (change.run, change.before, change.after) == (1, before, after)
    assert read_job(folder).train.effective_batch_size == 4
    [event] = queue.events_after(0, types=("less_memory",))
    assert event.data == {"before": before, "after": after}
    assert [bucket.first_step for bucket in queue.curves(job.id, ("loss",), 100)["loss"]] == [1, 2, 3, 4, 5, 6]
    [resumed] = [event for event in read_job_events(folder) if event.get("name") == "resuming"]
    assert resumed["params"] == {"step": 2, "checkpoint": "step-00000002", "exact": False}
    database.close()


@pytest.mark.gate
@pytest.mark.skipif(sys.platform != "linux", reason="address spaces are limited and told on Linux")
def test_a_worker_whose_address_space_ends_goes_on_with_half_the_micro_batch(home, tmp_path, monkeypatch):
    """The allocator itself fails: what a batch needs is measured before, and half of it fits."""
    monkeypatch.setattr(queue_rules, "RETRY_SECONDS", (0.05, 0.1))
    data = tmp_path / "long.jsonl"
    rows = (
        {"instruction": f"Question {number}", "output": f"{number} words " * 200} for number in range(2 * MANY_ROWS)
    )
    data.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def plan(**changes):
        settings = {**SETTINGS, "max_steps": 4, "max_length": 512, "per_device_train_batch_size": MANY_ROWS, **changes}
        return plan_training(training_request("nano", data, settings=settings))

    def peak(**changes):
        folder = write_training(plan(max_steps=1, **changes))
        subprocess.run(limited_worker(folder, 1, 0), env=searched(), check=True)
        return int((folder / "peak").read_text())

    needed = {number: peak(per_device_train_batch_size=number) for number in (MANY_ROWS, MANY_ROWS // 2)}
    limit = sum(needed.values()) // 2
    print({"needed_megabytes": {number: round(size / 1e6) for number, size in needed.items()}, "limit": limit})
    assert needed[MANY_ROWS] > 1.2 * needed[MANY_ROWS // 2], "the batch decides"
    database, planned = open_store(home), plan()
    queue, folder = Queue(database), write_training(planned)
    job = queue.submit("train", folder, name="limited", job_id=planned.job.id)
    tick_until(supervise(database, LimitedMemory(limit)), lambda: queue.get(job.id).status in ENDED, 900)
    job = queue.get(job.id)
    assert job.status == "succeeded", job.error
    assert [run.reason for run in queue.runs(job.id)][:1] == ["less_memory"]
    [change, *_] = read_job(folder).changes
    assert change.after == {"per_device_train_batch_size": MANY_ROWS // 2, "gradient_accumulation_steps": 2}
    assert read_job(folder).train.effective_batch_size == MANY_ROWS
    assert [bucket.first_step for bucket in queue.curves(job.id, ("loss",), 100)["loss"]] == [1, 2, 3, 4]
    database.close()


def test_only_recorded_changes_of_memory_settings_are_gone_on_with(planned, home):
    folder = write_training(planned)
    begun_with = stored_settings(folder)
    for run in (1, 1, 2):  # the queue was killed after the first call
        use_less_memory(folder, run, queue_rules.less_memory(read_job(folder).train))
    assert [change.run for change in read_job(folder).changes] == [1, 2]
    assert [item["per_device_train_batch_size"] for item in earlier_settings(folder)] == [2, 4]
    assert earlier_settings(folder)[-1] == begun_with
    checkpoint_of(folder, begun_with)
    assert find_checkpoint(folder, stored_settings(folder))[0] is not None
    update_job(folder, train={**stored_settings(folder), "seed": 99})
    with pytest.raises(Conflict, match="config_changed"):
        find_checkpoint(folder, stored_settings(folder))


def checkpoint_of(folder, settings):
    from llmlora.core.publish import publishing_dir

    path = folder / "runs" / "1" / "checkpoints" / "step-00000001"
    path.parent.mkdir(parents=True)
    with publishing_dir(path, {"step": 1, "train": settings}) as inside:
        (inside / "state.json").write_text("{}")
