"""The supervisor: events in order, typed errors across the border, stops passed on."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from llmlora.core.errors import ConfigError, NonFiniteLoss, WorkerDied
from llmlora.services import launch
from llmlora.services.launch import Worker, scratch_folder
from llmlora.services.supervisor import run_worker


def test_a_scratch_folder_is_gone_afterwards(home):
    with scratch_folder({"a": 1}) as folder:
        assert (folder / "config.json").is_file()
    assert not folder.exists()


def test_a_scratch_folder_is_gone_after_a_failure_too(home):
    with pytest.raises(ZeroDivisionError), scratch_folder({}) as folder:
        raise ZeroDivisionError
    assert not folder.exists()


def test_a_typed_error_comes_back_with_its_parameters():
    seen = []
    config = {"kind": "merge", "job_dir": "/nowhere", "output": "/nowhere/out", "dtype": "int3", "base_dir": None}
    with scratch_folder(config) as folder, pytest.raises(Exception) as caught:
        run_worker("merge", folder, seen.append)
    assert seen[0]["type"] == "run_started"
    assert seen[-1]["type"] == "run_ended"
    assert seen[-1]["error"]["code"] == caught.value.code
    assert not isinstance(caught.value, WorkerDied)


def test_asked_twice_a_worker_ends_at_once(home):
    with scratch_folder({"kind": "chat", "model": {"kind": "gguf", "path": "/nowhere.gguf"}}) as folder:
        worker = Worker("chat", folder, pipes=True)
        worker.stop()
        worker.stop()
        assert worker.process.wait(20) in (-signal.SIGKILL, -signal.SIGTERM)
        worker.stop()  # a third time, when nobody is left, is harmless
        worker.process.stdin.close()
        worker.process.stdout.close()


def test_workers_speak_the_users_language(home, monkeypatch):
    seen = {}

    class Popen:
        def __init__(self, arguments, **settings):
            seen.update(settings["env"])

    monkeypatch.setattr(launch.subprocess, "Popen", Popen)
    monkeypatch.setenv("LLMLORA_LANG", "ja")
    launch.current_language.__globals__["set_language"]("ja")
    with scratch_folder({}) as folder:
        Worker("chat", folder)
    assert seen["LLMLORA_LANG"] == "ja"
    assert seen["LLMLORA_PARENT"] == str(os.getpid())


def test_a_worker_without_an_owner_hears_of_none(home, monkeypatch):
    seen = {}
    monkeypatch.setattr(launch.subprocess, "Popen", lambda _, **settings: seen.update(settings["env"]))
    monkeypatch.setenv("LLMLORA_PARENT", "1")  # of a worker that starts one itself
    with scratch_folder({}) as folder:
        Worker("chat", folder, is_owned=False)
    assert "LLMLORA_PARENT" not in seen


def test_only_known_kinds_start(home):
    with scratch_folder({}) as folder, pytest.raises((WorkerDied, ConfigError)):
        run_worker("nonsense", folder)


PLAYED = """
import json, os, signal, sys, time
folder, events = sys.argv[1], sys.argv[2:]
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
for number, event in enumerate(json.loads(line) for line in events):
    if event["type"] == "run_started":
        event["pid"] = event.get("pid", os.getpid())
    run = event.pop("in_run", 1)
    os.makedirs(f"{folder}/runs/{run}", exist_ok=True)
    with open(f"{folder}/runs/{run}/events.jsonl", "a") as stream:
        stream.write(json.dumps({"seq": number + 1, "run": run, **event}) + "\\n")
    time.sleep(0.1)
if events and "wait" in events[-1]:
    time.sleep(300)
"""


@pytest.fixture
def play(monkeypatch):
    """Let the next worker be a process that writes the given events."""
    real = subprocess.Popen

    def prepare(folder, *events):
        words = [sys.executable, "-c", PLAYED, str(folder), *map(json.dumps, events)]
        monkeypatch.setattr(launch.subprocess, "Popen", lambda _, **settings: real(words, **settings))

    return prepare


END = {"type": "run_ended", "status": "succeeded", "result": {"answer": 42}}


def test_every_event_is_handed_on_once_and_in_order(tmp_path, play):
    seen = []
    play(tmp_path, {"type": "run_started"}, {"type": "phase", "name": "a"}, {"type": "phase", "name": "b"}, END)
    assert run_worker("train", tmp_path, seen.append) == {"answer": 42}
    assert [event["seq"] for event in seen] == [1, 2, 3, 4]


def test_a_death_without_an_end_is_reported_after_the_last_event(tmp_path, play):
    seen = []
    play(tmp_path, {"type": "run_started"}, {"type": "phase", "name": "loading"})
    with pytest.raises(WorkerDied) as caught:
        run_worker("train", tmp_path, seen.append)
    assert [event["type"] for event in seen] == ["run_started", "phase"]
    assert caught.value.params["folder"] == str(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_command_is_passed_on_and_handlers_come_back(tmp_path, play, number):
    before = signal.getsignal(number)
    play(tmp_path, {"type": "run_started", "wait": True})
    started = time.monotonic()
    with pytest.raises(WorkerDied) as caught:  # the signal comes when the worker has begun to listen
        run_worker("train", tmp_path, lambda _: os.kill(os.getpid(), number))
    assert caught.value.params["exit_code"] == 5  # it heard SIGTERM
    assert time.monotonic() - started < 200
    assert signal.getsignal(number) is before


def test_a_failing_reader_of_events_stops_nothing_and_hears_of_it_at_the_end(tmp_path, play):
    seen = []

    def broken(event):
        seen.append(event["type"])
        raise ZeroDivisionError

    play(tmp_path, {"type": "run_started"}, {"type": "phase", "name": "a"}, END)
    with pytest.raises(ZeroDivisionError):
        run_worker("train", tmp_path, broken)
    assert seen == ["run_started"], "whoever failed is not called again"
    events = (tmp_path / "runs" / "1" / "events.jsonl").read_text()
    assert '"status": "succeeded"' in events, "the work went on to its end"


def test_the_failure_of_the_work_counts_more_than_that_of_its_reader(tmp_path, play):
    def broken(event):
        raise ZeroDivisionError

    error = {"error": "NonFiniteLoss", "code": "nonfinite_loss", "params": {}}
    play(tmp_path, {"type": "run_started"}, {"type": "run_ended", "status": "failed", "error": error})
    with pytest.raises(NonFiniteLoss) as caught:
        run_worker("train", tmp_path, broken)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("wish", [KeyboardInterrupt, SystemExit])
def test_a_reader_that_wants_to_stop_stops_the_work(tmp_path, play, wish):
    started = []

    def stopping(event):
        started.append(event["pid"])
        raise wish

    play(tmp_path, {"type": "run_started", "wait": True})
    with pytest.raises(wish):
        run_worker("train", tmp_path, stopping)
    with pytest.raises(ProcessLookupError):
        os.kill(started[0], 0)


def test_outside_the_main_thread_a_worker_runs_without_signal_handlers(tmp_path, play):
    play(tmp_path, {"type": "run_started"}, END)
    results = []
    thread = threading.Thread(target=lambda: results.append(run_worker("train", tmp_path)))
    thread.start()
    thread.join(30)
    assert results == [{"answer": 42}]
