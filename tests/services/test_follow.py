"""Following by files alone: from any event on, while the work goes on, after its end, and by another process."""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from llmlora.core.events import EventWriter
from llmlora.core.layout import run_dir
from llmlora.services.follow import follow, is_worked_on, lock_holder, stop_work
from llmlora.worker.frame import folder_lock

TOY = Path(__file__).parents[1] / "worker" / "toy_work.py"


def write_run(folder, *names, run=1, has_ended=True):
    directory = run_dir(folder, run)
    directory.mkdir(parents=True, exist_ok=True)
    events = EventWriter(directory, run)
    for name in names:
        events.emit("phase", name=name)
    if has_ended:
        events.emit("run_ended", status="succeeded", result={})
    return events


def test_a_finished_run_is_told_from_any_event_on(tmp_path):
    write_run(tmp_path, "a", "b")
    assert [event["seq"] for event in follow(tmp_path, 1)] == [1, 2, 3]
    assert [event["seq"] for event in follow(tmp_path, 1, after=2)] == [3]
    assert [event["seq"] for event in follow(tmp_path, 1, after=3)] == []


def test_a_run_that_goes_on_is_followed_to_its_end(tmp_path):
    with folder_lock(tmp_path):
        events = write_run(tmp_path, "a", has_ended=False)
        timer = threading.Timer(0.3, events.emit, ("run_ended",), {"status": "succeeded", "result": {}})
        timer.start()
        assert [event["type"] for event in follow(tmp_path, 1)] == ["phase", "run_ended"]


def test_a_run_that_died_without_a_word_ends_with_its_last_event(tmp_path):
    write_run(tmp_path, "a", has_ended=False)
    assert [event["type"] for event in follow(tmp_path, 1)] == ["phase"]


def test_a_run_just_started_is_waited_for_and_one_that_never_began_is_not(tmp_path):
    directory = run_dir(tmp_path, 1)
    directory.mkdir(parents=True)
    assert is_worked_on(tmp_path, 1)
    os.utime(directory, (time.time() - 60, time.time() - 60))
    assert not is_worked_on(tmp_path, 1)
    assert list(follow(tmp_path, 1)) == []


def test_the_holder_of_a_folder_is_named_only_while_it_holds_it(tmp_path):
    assert lock_holder(tmp_path) is None
    with folder_lock(tmp_path):
        assert lock_holder(tmp_path) == str(os.getpid())
    assert lock_holder(tmp_path) is None
    with folder_lock(tmp_path, wait_seconds=0.1):  # asking has left no lock behind
        pass


def test_nobody_is_stopped_where_nobody_works(tmp_path):
    assert not stop_work(tmp_path)
    (tmp_path / "worker.lock").write_text(str(os.getpid()))  # left by one that has ended; the number may be anybody's
    assert not stop_work(tmp_path)


STARTER = """
import os, subprocess, sys
process = subprocess.Popen([sys.executable, *sys.argv[1:]], start_new_session=True)
print(process.pid)
"""


@pytest.mark.parametrize("saved", [True, False])
def test_what_one_process_started_another_follows_and_stops(tmp_path, saved):
    """The starter is gone before the first event; this process knows the folder and the number of the run only."""
    run_dir(tmp_path, 1).mkdir(parents=True)
    (tmp_path / "config.json").write_text(json.dumps({"do": "wait", "saved": saved}))
    starter = [sys.executable, "-c", STARTER, str(TOY), "toy", str(tmp_path), "1"]
    pid = int(subprocess.run(starter, check=True, capture_output=True, text=True).stdout)
    seen = []
    for event in follow(tmp_path, 1):
        seen.append(event["type"])
        if event["type"] == "run_started":
            assert event["pid"] == pid
            assert stop_work(tmp_path)
    assert seen[0] == "run_started" and seen[-1] == "run_ended"
    assert event["status"] == "interrupted"
