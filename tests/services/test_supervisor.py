"""The supervisor: events in order, typed errors across the border, silent deaths classified."""

import os
import signal

import pytest

from llmlora.core.errors import ConfigError, Conflict, DiskFull, OutOfMemory, WorkerDied
from llmlora.services import supervisor
from llmlora.services.supervisor import Worker, run_worker, scratch_folder


def test_a_scratch_folder_is_gone_afterwards(home):
    with scratch_folder({"a": 1}) as folder:
        assert (folder / "config.json").is_file()
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


class DeadWorker:
    """A worker process that has ended without a word."""

    def __init__(self, folder, returncode):
        self.folder, self.kind = folder, "train"
        self.process = type("Process", (), {"returncode": returncode})()


@pytest.mark.parametrize(
    ("returncode", "error"), [(-signal.SIGKILL, OutOfMemory), (-signal.SIGSEGV, WorkerDied), (1, WorkerDied)]
)
def test_a_silent_end_is_classified(tmp_path, returncode, error):
    assert type(supervisor._silent_end(DeadWorker(tmp_path, returncode))) is error


def test_a_locked_folder_names_the_holder(tmp_path):
    (tmp_path / "worker.lock").write_text("4711")
    error = supervisor._silent_end(DeadWorker(tmp_path, 3))
    assert isinstance(error, Conflict)
    assert error.params["pid"] == "4711"


def test_a_full_disk_is_recognised(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "free_bytes", lambda _: 0)
    assert isinstance(supervisor._silent_end(DeadWorker(tmp_path, 1)), DiskFull)


def test_asked_twice_a_worker_ends_at_once(home):
    with scratch_folder({"kind": "chat", "model": {"kind": "gguf", "path": "/nowhere.gguf"}}) as folder:
        worker = Worker("chat", folder, pipes=True)
        worker.stop()
        worker.stop()
        assert worker.process.wait(20) in (-signal.SIGKILL, -signal.SIGTERM)
        worker.process.stdin.close()
        worker.process.stdout.close()


def test_workers_speak_the_users_language(home, monkeypatch):
    seen = {}

    class Popen:
        def __init__(self, arguments, **settings):
            seen.update(settings["env"])

    monkeypatch.setattr(supervisor.subprocess, "Popen", Popen)
    monkeypatch.setenv("LLMLORA_LANG", "ja")
    supervisor.current_language.__globals__["set_language"]("ja")
    with scratch_folder({}) as folder:
        Worker("chat", folder)
    assert seen["LLMLORA_LANG"] == "ja"
    assert seen["LLMLORA_PARENT"] == str(os.getpid())


def test_only_known_kinds_start(home):
    with scratch_folder({}) as folder, pytest.raises((WorkerDied, ConfigError)):
        run_worker("nonsense", folder)
