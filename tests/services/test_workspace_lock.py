"""One server per workspace; the lock goes with its holder, whatever the file says."""

import os
import subprocess
import sys

import pytest

from llmlora.core.errors import Conflict
from llmlora.services.workspace_lock import running_server, workspace_lock

HOLD = """
import sys
from llmlora.services.workspace_lock import workspace_lock
with workspace_lock() as lock:
    lock.tell("http://127.0.0.1:1")
    print("held", flush=True)
    sys.stdin.read()
"""


def test_nobody_serves_an_empty_workspace(home):
    assert running_server() is None
    (home / ".lock").write_text('{"pid": 1, "url": "http://old"}')
    assert running_server() is None


def test_the_second_is_told_who_the_first_is(home):
    with workspace_lock() as lock:
        lock.tell("http://127.0.0.1:8000")
        assert running_server() == {"pid": os.getpid(), "url": "http://127.0.0.1:8000", "database": None}
        with pytest.raises(Conflict) as refusal, workspace_lock():
            pass
        assert refusal.value.code == "server_running"
        assert refusal.value.params["url"] == "http://127.0.0.1:8000"
        lock.tell("http://x")  # shorter than before
        assert running_server()["url"] == "http://x"
    assert running_server() is None
    with workspace_lock():
        assert running_server() == {"pid": None, "url": None, "database": None}  # it is only starting


def test_a_killed_holder_holds_nothing(home):
    process = subprocess.Popen([sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"held\n"
        assert running_server()["pid"] == process.pid
        process.kill()
        process.wait(timeout=10)
        assert running_server() is None
        with workspace_lock() as lock:
            lock.tell("http://127.0.0.1:2")
    finally:
        process.kill()
        process.communicate(timeout=10)


def test_the_lock_is_the_owners_file(home):
    with workspace_lock():
        assert (home / ".lock").stat().st_mode & 0o077 == 0


def test_a_link_in_its_place_is_not_followed(home, tmp_path):
    (tmp_path / "precious").write_text("mine")
    (home / ".lock").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError), workspace_lock():
        pass
    assert (tmp_path / "precious").read_text() == "mine"


def test_a_command_that_works_on_the_queue_is_told_apart(home):
    with workspace_lock() as lock:
        lock.tell(None, "the database")
        assert running_server() == {"pid": os.getpid(), "url": None, "database": "the database"}
        with pytest.raises(Conflict) as refusal, workspace_lock():
            pass
    assert refusal.value.code == "queue_worked_on"
