"""The launcher port: what a worker is started with, and how one is taken over, stopped and ended."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llmlora.services import launch
from llmlora.services.launcher import LocalLauncher, Resources
from services.fake_launcher import SCRIPT, FakeLauncher, write_folder

NOBODY = 2**22 + 1  # above every process id


@pytest.fixture
def folder(home):
    made = write_folder(home, steps=10_000, seconds=0.01)
    (made / "runs" / "1").mkdir(parents=True)
    return made


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_worker_gets_its_run_and_its_threads(folder, monkeypatch):
    seen = []

    class Popen:
        pid = NOBODY

        def __init__(self, words, **options):
            seen.append((words[-3:], options["env"], options["start_new_session"]))

    monkeypatch.setattr(launch.subprocess, "Popen", Popen)
    LocalLauncher().launch("train", folder, 7, Resources(2))
    words, environment, is_leader = seen[0]
    assert words == ["train", str(folder), "7"]
    assert environment["OMP_NUM_THREADS"] == "2" and "LLMLORA_PARENT" not in environment
    assert is_leader


def test_nobody_is_taken_over_where_nobody_works(folder):
    assert LocalLauncher().adopt(folder) is None
    (folder / "worker.lock").write_text(str(os.getpid()))
    assert LocalLauncher().adopt(folder) is None


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="needs Linux")
def test_when_memory_runs_out_a_worker_is_ended_before_the_server(folder):
    launcher = FakeLauncher()
    handle = launcher.launch("train", folder, 1, Resources())
    own = int(Path("/proc/self/oom_score_adj").read_text())
    assert int(Path(f"/proc/{handle.process.pid}/oom_score_adj").read_text()) >= max(own, 500)
    launcher.clean_up()


def test_a_started_worker_is_stopped_and_ended(folder):
    launcher = FakeLauncher()
    handle = launcher.launch("train", folder, 1, Resources())
    wait_until((folder / "state.json").exists)
    handle.stop()
    wait_until(lambda: not handle.is_alive())
    assert handle.exit_code() == 75
    handle.stop()
    handle.kill()  # when nobody is left, both are harmless
    (folder / "runs" / "2").mkdir()
    again = launcher.launch("train", folder, 2, Resources())
    again.kill()
    wait_until(lambda: not again.is_alive())
    assert again.exit_code() == -signal.SIGKILL
    launcher.clean_up()


@pytest.mark.parametrize("is_leader", [True, False])
@pytest.mark.parametrize(("action", "code"), [("stop", 75), ("kill", -signal.SIGKILL)])
def test_a_worker_that_was_taken_over_is_stopped_and_ended(folder, is_leader, action, code):
    """Also one in the process group of somebody's shell, which here is that of the tests: they must live on."""
    words = [sys.executable, "-I", "-S", str(SCRIPT), str(folder), "1"]
    worker = subprocess.Popen(words, start_new_session=is_leader)
    wait_until((folder / "state.json").exists)
    handle = LocalLauncher().adopt(folder)
    assert handle is not None and handle.is_alive() and handle.process.pid == worker.pid
    getattr(handle, action)()
    assert worker.wait(20) == code
    assert not handle.is_alive() and handle.exit_code() is None
    handle.kill()
