"""Starting a worker: each gets a run of its own, whoever starts at the same time."""

import os
import threading
import time

from llmlora.core.layout import LOCK_FILE, run_numbers, scratch_dir
from llmlora.services import launch
from llmlora.worker.frame import folder_lock


def test_starters_at_the_same_time_get_different_runs(tmp_path):
    barrier, numbers = threading.Barrier(8), []

    def reserve():
        barrier.wait()
        for _ in range(20):
            numbers.append(launch.reserve_run(tmp_path))

    threads = [threading.Thread(target=reserve) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == run_numbers(tmp_path) == list(range(1, 161))


def test_the_run_is_handed_down(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(launch.subprocess, "Popen", lambda arguments, **_: given.append(arguments))
    assert launch.Worker("chat", tmp_path).run == 1
    assert launch.Worker("chat", tmp_path).run == 2
    assert [words[-3:] for words in given] == [["chat", str(tmp_path), "1"], ["chat", str(tmp_path), "2"]]


def test_a_worker_gets_no_secret_of_the_server(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(launch.subprocess, "Popen", lambda _, env, **more: given.append(env))
    monkeypatch.setenv("LLMLORA_TOKEN", "canary-token")
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:canary-password@host/db")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_TOKEN", "canary-hub")
    monkeypatch.setenv("WANDB_API_KEY", "canary-tracker")
    for kind in ("chat", "inspect", "train", "download"):
        launch.Worker(kind, tmp_path)
    found = [{value for value in environment.values() if "canary" in value} for environment in given]
    assert found == [set(), set(), {"canary-tracker"}, {"canary-hub"}], "each to the one who needs it"
    assert given[0]["HF_HUB_OFFLINE"] == "1"


def make_old(path):
    """Let a file, or a folder with all that is in it, be as if nobody had changed it for a while."""
    moment = time.time() - 2 * launch.SCRATCH_SECONDS
    for part in (*path.rglob("*"), path):
        os.utime(part, (moment, moment))


def test_what_killed_processes_left_is_removed_and_nothing_else(home):
    names = ("new", "old", "old and worked in", "old and written to")
    for name in names:
        (scratch_dir() / name).mkdir(parents=True)
        (scratch_dir() / name / LOCK_FILE).touch()
    (scratch_dir() / "old.jsonl").touch()
    with folder_lock(scratch_dir() / "old and worked in"):
        for name in (*names[1:], "old.jsonl"):
            make_old(scratch_dir() / name)
        (scratch_dir() / "old and written to" / LOCK_FILE).touch()
        launch.remove_left_scratch()
    assert {path.name for path in scratch_dir().iterdir()} == {"new", "old and worked in", "old and written to"}


def test_a_workspace_without_scratch_has_nothing_to_remove(home):
    launch.remove_left_scratch()
    assert not scratch_dir().exists()
