"""How a run ended, from its files and perhaps an exit code: results, typed errors, deaths without a word."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.fake_reports import make_job
from llmlora.core.errors import Conflict, DiskFull, NonFiniteLoss, OutOfMemory, Stopped, WorkerDied
from llmlora.core.events import EventWriter
from llmlora.core.layout import run_dir
from llmlora.services import outcome as outcomes
from llmlora.services.outcome import outcome
from llmlora.worker.frame import folder_lock

TOY = Path(__file__).parents[1] / "worker" / "toy_work.py"


@pytest.fixture
def work(tmp_path):
    """A folder of work with one run that has begun and said nothing more."""
    (tmp_path / "config.json").write_text('{"kind": "export"}')
    run_dir(tmp_path, 1).mkdir(parents=True)
    EventWriter(run_dir(tmp_path, 1), 1).emit("run_started", kind="export", pid=1)
    return tmp_path


def ended(work, **fields):
    EventWriter(run_dir(work, 1), 1).emit("run_ended", **fields)
    return outcome(work, 1)


def test_a_run_that_succeeded_has_its_result(work):
    found = ended(work, status="succeeded", result={"answer": 42})
    assert (found.status, found.result, found.error) == ("succeeded", {"answer": 42}, None)


def test_a_run_that_failed_has_its_typed_error(work):
    found = ended(work, status="failed", error=NonFiniteLoss("nonfinite_loss", step=3).to_dict())
    assert found.status == "failed" and found.result is None and not found.is_silent
    assert isinstance(found.error, NonFiniteLoss) and found.error.params == {"step": 3}


def test_a_run_that_was_stopped_is_interrupted(work):
    found = ended(work, status="interrupted", error=Stopped("stopped", step=3, has_checkpoint=True).to_dict())
    assert found.status == "interrupted" and isinstance(found.error, Stopped) and found.error.has_checkpoint


def test_an_earlier_run_is_told_beside_a_later_one(work):
    ended(work, status="failed", error=NonFiniteLoss("nonfinite_loss", step=3).to_dict())
    run_dir(work, 2).mkdir()
    EventWriter(run_dir(work, 2), 2).emit("run_ended", status="succeeded", result={"second": True})
    assert outcome(work, 1).status == "failed"
    assert outcome(work, 2).result == {"second": True}


@pytest.mark.parametrize(
    ("exit_code", "error"),
    [(-signal.SIGKILL, OutOfMemory), (None, OutOfMemory), (-signal.SIGSEGV, WorkerDied), (1, WorkerDied)],
)
def test_a_silent_end_is_classified(work, exit_code, error):
    found = outcome(work, 1, exit_code)
    assert found.status == "failed" and found.is_silent
    assert type(found.error) is error
    assert found.error.params["kind"] == "export"


@pytest.mark.parametrize("exit_code", [-signal.SIGABRT, None])
def test_a_native_abort_for_lack_of_memory_is_told_from_a_crash(work, exit_code):
    log = run_dir(work, 1) / "log.txt"
    crash = "Fatal Python error: Aborted\n\n" + '  File "somewhere.py", line 1 in f\n' * 100
    log.write_text("noise\n" * 10_000 + "terminate called after throwing an instance of 'std::bad_alloc'\n" + crash)
    assert isinstance(outcome(work, 1, exit_code).error, OutOfMemory)
    log.write_text("std::bad_alloc\n" + "then it went on and crashed elsewhere\n" * 1000 + crash)
    error = outcome(work, 1, exit_code).error
    assert isinstance(error, WorkerDied) and error.params["exit_code"] == -signal.SIGABRT


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_ended_by_our_own_stop_is_no_failure(work, number):
    """SIGTERM before it listens, SIGKILL after the second Ctrl-C: with a checkpoint the job can go on."""
    nothing = outcome(work, 1, -number, was_stopped=True)
    assert nothing.status == "interrupted"
    assert isinstance(nothing.error, Stopped) and not nothing.error.has_checkpoint
    (run_dir(work, 1) / "checkpoints" / "step-00000007").mkdir(parents=True)
    (run_dir(work, 1) / "checkpoints" / ".tmp-step-00000008-1").mkdir()
    resumable = outcome(work, 1, -number, was_stopped=True).error
    assert isinstance(resumable, Stopped) and resumable.has_checkpoint
    assert resumable.params["step"] == 7
    assert resumable.code == ("stopped_at_once" if number == signal.SIGKILL else "stopped_before_resuming")
    assert isinstance(outcome(work, 1, None, was_stopped=True).error, Stopped)


def test_a_crash_after_a_stop_is_still_a_crash(work):
    assert isinstance(outcome(work, 1, 1, was_stopped=True).error, WorkerDied)


def test_a_locked_folder_names_the_holder(tmp_path):
    run_dir(tmp_path, 2).mkdir(parents=True)
    with folder_lock(tmp_path):
        for exit_code in (Conflict.exit_code, None):
            error = outcome(tmp_path, 2, exit_code).error
            assert isinstance(error, Conflict)
            assert error.params["pid"] == str(os.getpid())


def test_a_full_disk_is_recognised(work, monkeypatch):
    monkeypatch.setattr(outcomes, "free_bytes", lambda _: 0)
    assert isinstance(outcome(work, 1, 1).error, DiskFull)


@pytest.mark.parametrize("knows_exit_code", [True, False])
@pytest.mark.parametrize(
    ("do", "error", "exit_code"),
    [("segfault", WorkerDied, -signal.SIGSEGV), ("hog", OutOfMemory, None), ("killed", OutOfMemory, None)],
)
def test_how_a_real_worker_died_is_known_to_whoever_started_it_and_to_others(
    tmp_path, do, error, exit_code, knows_exit_code
):
    (tmp_path / "config.json").write_text(json.dumps({"kind": "toy", "do": do}))
    run_dir(tmp_path, 1).mkdir(parents=True)
    code = subprocess.run([sys.executable, str(TOY), "toy", str(tmp_path), "1"], check=False).returncode
    found = outcome(tmp_path, 1, code if knows_exit_code else None)
    assert type(found.error) is error
    if exit_code is not None:
        assert found.error.params["exit_code"] == exit_code
        assert "toy_work.py" in (run_dir(tmp_path, 1) / "log.txt").read_text(), "the log says where it crashed"


def test_what_to_do_about_a_killed_training_is_told_to_a_process_that_never_saw_it(tmp_path):
    folder = tmp_path / "job"
    make_job(folder, steps=3, ended=None)
    found = outcome(folder, 1)
    assert found.status == "failed" and isinstance(found.error, OutOfMemory)
    assert (found.error.code, found.error.params["folder"]) == ("train_killed", str(folder))
    assert found.error.params["first"].startswith("--set ")
    assert found.error.params["out"] == str(tmp_path / "job-2")
    stopped = outcome(folder, 1, was_stopped=True)
    assert stopped.error is not None and stopped.error.code == "stopped_before_training"
