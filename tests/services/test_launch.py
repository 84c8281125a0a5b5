"""Starting a worker: each gets a run of its own, whoever starts at the same time."""

import threading

from llmlora.core.layout import run_numbers
from llmlora.services import launch


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
