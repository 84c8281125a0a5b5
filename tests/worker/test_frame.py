"""The worker frame: every end is one event and one exit code, stops are clean, a folder has one worker."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmlora.core.errors import Conflict
from llmlora.core.events import read_events
from llmlora.worker.frame import folder_lock

TOY = Path(__file__).with_name("toy_work.py")


def start(folder, **config):
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    return subprocess.Popen([sys.executable, str(TOY), "toy", str(folder)], env={**os.environ, **config.pop("env", {})})


def last_event(folder, run=1):
    return list(read_events(folder / "runs" / str(run) / "events.jsonl"))[-1]


def wait_for_start(folder, run=1):
    deadline = time.monotonic() + 20
    while not list(read_events(folder / "runs" / str(run) / "events.jsonl")):
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


def test_a_worker_stops_when_its_starter_is_killed(tmp_path):
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "config.json").write_text('{"do": "wait"}')
    starter = subprocess.Popen(
        [
            sys.executable, "-c",
            "import os, subprocess, sys, time\n"
            "env = {**os.environ, 'LLMLORA_PARENT': str(os.getpid())}\n"
            "subprocess.Popen(sys.argv[1:], env=env, start_new_session=True)\n"
            "time.sleep(60)",
            sys.executable, str(TOY), "toy", str(tmp_path / "job"),
        ]
    )  # fmt: skip
    wait_for_start(tmp_path / "job")
    starter.kill()
    starter.wait()
    deadline = time.monotonic() + 10
    while last_event(tmp_path / "job")["type"] != "run_ended":
        assert time.monotonic() < deadline, "the worker outlived its starter"
        time.sleep(0.05)


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
