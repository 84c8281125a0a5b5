"""Starting a worker: each gets a run of its own, whoever starts at the same time."""

import os
import threading

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
    launch.Worker("chat", tmp_path)
    assert not [value for value in given[0].values() if "canary" in value]
    assert given[0]["HF_HUB_OFFLINE"] == "1"


def test_what_killed_processes_left_is_removed_and_nothing_else(home):
    kept = {"new": 0.0, "old-and-worked-in": 2.0}
    for name, age in {**kept, "old": 2.0}.items():
        folder = scratch_dir() / name
        folder.mkdir(parents=True)
        (folder / LOCK_FILE).touch()
        moment = folder.stat().st_mtime - age * launch.SCRATCH_SECONDS
        os.utime(folder, (moment, moment))
    with folder_lock(scratch_dir() / "old-and-worked-in"):
        launch.remove_left_scratch()
    assert {folder.name for folder in scratch_dir().iterdir()} == set(kept)


def test_a_workspace_without_scratch_has_nothing_to_remove(home):
    launch.remove_left_scratch()
    assert not scratch_dir().exists()
