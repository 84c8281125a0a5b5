"""The worker frame: every end is one event and one exit code, stops are clean, a folder has one worker."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from llmlora.core.errors import Conflict, NonFiniteLoss
from llmlora.core.events import read_events
from llmlora.worker import frame
from llmlora.worker.frame import folder_lock

TOY = Path(__file__).with_name("toy_work.py")


def start(folder, **config):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return subprocess.Popen([sys.executable, str(TOY), "toy", str(folder)], env={**os.environ, **config.pop("env", {})})


def last_event(folder, run=1):
    return list(read_events(folder / "runs" / str(run) / "events.jsonl"))[-1]


def wait_for_start(folder, run=1):
    """Wait until the work itself has begun: a stop before that, while libraries load, has nothing to save."""
    deadline = time.monotonic() + 20
    while "phase" not in [event["type"] for event in read_events(folder / "runs" / str(run) / "events.jsonl")]:
        assert time.monotonic() < deadline, "the worker did not start"
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("kind", "exit_code", "status", "code"),
    [
        ("succeed", 0, "succeeded", None),
        ("fail", 1, "failed", "nonfinite_loss"),
        ("crash", 1, "failed", "internal"),
        ("memory", 1, "failed", "out_of_memory"),
        ("disk", 1, "failed", "disk_full"),
    ],
)
def test_every_end_is_one_event_and_one_exit_code(tmp_path, kind, exit_code, status, code):
    assert start(tmp_path / "job", do=kind).wait(30) == exit_code
    event = last_event(tmp_path / "job")
    assert (event["type"], event["status"]) == ("run_ended", status)
    assert (event.get("error") or {}).get("code") == code
    log = (tmp_path / "job" / "runs" / "1" / "log.txt").read_text()
    assert "something a library prints" in log
    assert ("ZeroDivisionError" in log) == (kind == "crash")


def test_a_result_is_valid_json_without_nan(tmp_path):
    start(tmp_path / "job", do="succeed").wait(30)
    assert json.loads((tmp_path / "job" / "runs" / "1" / "result.json").read_text()) == {"answer": 42, "loss": None}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("saved", "exit_code"), [(True, 75), (False, 130)])
def test_a_stop_signal_is_a_clean_end(tmp_path, number, saved, exit_code):
    worker = start(tmp_path / "job", do="wait", saved=saved)
    wait_for_start(tmp_path / "job")
    worker.send_signal(number)
    assert worker.wait(10) == exit_code
    assert last_event(tmp_path / "job")["status"] == "interrupted"


def starter_of(job):
    """Start a process that starts the toy worker as its child and then only waits."""
    return subprocess.Popen(
        [
            sys.executable, "-c",
            "import os, subprocess, sys, time\n"
            "env = {**os.environ, 'LLMLORA_PARENT': str(os.getpid())}\n"
            "subprocess.Popen(sys.argv[1:], env=env, start_new_session=True)\n"
            "time.sleep(60)",
            sys.executable, str(TOY), "toy", str(job),
        ]
    )  # fmt: skip


def test_a_worker_stops_when_its_starter_is_killed(tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "config.json").write_text('{"do": "wait"}')
    starter = starter_of(tmp_path / "job")
    wait_for_start(tmp_path / "job")
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 10
    while last_event(tmp_path / "job")["type"] != "run_ended":
        assert time.monotonic() < deadline, "the worker outlived its starter"
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_while_libraries_load_ends_at_once(tmp_path, monkeypatch, number):
    """Even when a library swallows the exception: the flag is looked at before the work begins."""
    monkeypatch.setenv("TOY_SLOW_IMPORT", str(tmp_path / "loading"))
    worker = start(tmp_path / "job", do="succeed")
    deadline = time.monotonic() + 20
    while not (tmp_path / "loading").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.send_signal(number)
    assert worker.wait(10) == 130
    assert last_event(tmp_path / "job")["error"]["code"] == "interrupted"
    assert not (tmp_path / "job" / "runs" / "1" / "result.json").exists()


@pytest.mark.parametrize("moment", ["loading", "preparing"])
def test_a_resume_stopped_before_it_begins_names_the_checkpoint_and_can_go_on(tmp_path, monkeypatch, moment):
    job = tmp_path / "job"
    (job / "runs" / "1" / "checkpoints" / "step-00000007").mkdir(parents=True)
    if moment == "loading":
        monkeypatch.setenv("TOY_SLOW_IMPORT", str(tmp_path / "loading"))
    worker = start(job, do="wait", saved=False)
    if moment == "preparing":
        wait_for_start(job, run=2)
    deadline = time.monotonic() + 20
    while moment == "loading" and not (tmp_path / "loading").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(10) == 75
    error = last_event(job, run=2)["error"]
    assert error["code"] == "stopped_before_resuming"
    assert error["params"] == {"step": 7, "folder": str(job), "has_checkpoint": True}


def test_a_worker_goes_on_while_its_starter_stands_still(tmp_path):
    """A stopped watcher (Ctrl-Z, a debugger, a frozen terminal) is neither dead nor a reason to wait."""
    starter = starter_of(tmp_path / "job")
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "config.json").write_text('{"do": "count", "seconds": 1.5}')
    try:
        wait_for_start(tmp_path / "job")
        os.kill(starter.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 20
        while last_event(tmp_path / "job")["type"] != "run_ended":
            assert time.monotonic() < deadline, "the worker waits for its watcher"
            time.sleep(0.05)
        assert last_event(tmp_path / "job")["status"] == "succeeded"
    finally:
        starter.kill()
        starter.wait()


def in_process(folder, monkeypatch, work):
    """Run the frame in this process around a function; returns the exit code."""
    (folder / "config.json").write_text("{}")
    module = types.ModuleType("inline_work")
    module.run = work
    monkeypatch.setitem(sys.modules, "inline_work", module)
    monkeypatch.setitem(frame.KINDS, "inline", "inline_work")
    monkeypatch.setattr(frame, "_log_to", lambda path: path.touch())
    monkeypatch.setattr(frame, "watch_stop_signals", frame.StopFlag)
    return frame.run_kind("inline", folder)


def test_the_reserve_is_there_while_working_and_gone_afterwards(tmp_path, monkeypatch):
    seen = []

    def work(folder, config, events, stop):
        seen.append((folder / "reserve.bin").stat().st_size)
        return {}

    assert in_process(tmp_path, monkeypatch, work) == 0
    assert seen == [frame.RESERVE_BYTES]
    assert not list(tmp_path.rglob("reserve.bin"))


def test_on_a_full_disk_the_last_words_are_written_from_the_reserve(tmp_path, monkeypatch):
    """The disk is full until the reserve is given back: the run still ends with its typed event."""
    write, reserve = os.write, tmp_path / "reserve.bin"

    def full(descriptor, data):
        if reserve.exists() and data.startswith(b'{"seq"') and b"run_started" not in data:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, data)

    def work(folder, config, events, stop):
        events.emit("phase", name="training")

    monkeypatch.setattr(os, "write", full)
    assert in_process(tmp_path, monkeypatch, work) == 1
    monkeypatch.undo()
    assert [event["type"] for event in read_events(tmp_path / "runs" / "1" / "events.jsonl")] == [
        "run_started", "run_ended",
    ]  # fmt: skip
    assert last_event(tmp_path)["error"]["code"] == "disk_full"


def test_when_nothing_can_be_written_the_exit_code_still_tells(tmp_path, monkeypatch):
    def work(folder, config, events, stop):
        def full(*_):
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(events, "_append", full)
        raise NonFiniteLoss("nonfinite_loss", step=3)

    assert in_process(tmp_path, monkeypatch, work) == 1
    assert last_event(tmp_path)["type"] == "run_started"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), "out_of_memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "out_of_memory"),
        (RuntimeError("I/O error: No space left on device (os error 28)"), "disk_full"),
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk_full"),
        (KeyError("x"), "internal"),
        (NonFiniteLoss("nonfinite_loss"), "nonfinite_loss"),
    ],
)
def test_any_exception_becomes_one_typed_error(tmp_path, error, expected):
    assert frame.classify(error, tmp_path).code == expected


def test_a_long_message_is_cut_and_its_first_line_kept(tmp_path):
    typed = frame.classify(RuntimeError("CUDA out of memory.\nTried a lot\n" * 100), tmp_path)
    assert typed.params["detail"] == "CUDA out of memory."
    assert len(frame.classify(ValueError("y" * 9999), tmp_path).params["detail"]) == 500


@pytest.mark.parametrize("words", [[], ["train"], ["sing", "x"], ["train", "x", "y"]])
def test_a_wrong_call_of_the_worker_is_usage(words, capsys):
    from llmlora.worker.__main__ import main

    assert main(words) == 2
    assert "usage:" in capsys.readouterr().err


def test_two_workers_never_share_a_folder(tmp_path):
    worker = start(tmp_path / "job", do="wait")
    wait_for_start(tmp_path / "job")
    with pytest.raises(Conflict) as caught, folder_lock(tmp_path / "job", wait_seconds=0.3):
        pass
    assert caught.value.params["pid"] == str(worker.pid)
    worker.terminate()
    worker.wait(10)
    with folder_lock(tmp_path / "job", wait_seconds=0.3):
        pass


def test_a_second_attempt_gets_its_own_run_folder(tmp_path):
    start(tmp_path / "job", do="fail").wait(30)
    start(tmp_path / "job", do="succeed").wait(30)
    assert last_event(tmp_path / "job", run=1)["status"] == "failed"
    assert last_event(tmp_path / "job", run=2)["status"] == "succeeded"
    assert last_event(tmp_path / "job", run=2)["run"] == 2


@pytest.mark.parametrize(("is_owned", "begins"), [(False, False), (True, True)])
def test_a_run_that_the_queue_has_given_up_does_not_begin(tmp_path, is_owned, begins):
    """Its supervisor died between starting it and its lock; a worker with a living owner waits for nobody's place."""
    for run in (1, 2):
        (tmp_path / "runs" / str(run)).mkdir(parents=True)
    (tmp_path / "config.json").write_text("{}")
    environment = {name: value for name, value in os.environ.items() if name != "LLMLORA_PARENT"}
    owner = {"LLMLORA_PARENT": str(os.getpid())} if is_owned else {}
    words = [sys.executable, "-m", "llmlora.worker", "inspect", str(tmp_path), "1"]
    ended = subprocess.run(words, env={**environment, **owner}, capture_output=True, check=False)
    assert (ended.returncode != Conflict.exit_code) is begins
    assert (tmp_path / "runs" / "1" / "events.jsonl").exists() is begins


def test_a_signal_that_comes_while_one_is_taken_does_not_wait_for_itself():
    """Every line of the handler is interrupted by the handler itself, as a second signal does."""
    stop, depth = frame.StopFlag(), 0

    def interrupt(*_):
        nonlocal depth
        if depth < 2:
            depth += 1
            stop.on_signal()
            depth -= 1
        return interrupt

    thread = threading.Thread(target=lambda: (sys.settrace(interrupt), stop.on_signal()), daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive() and stop
