"""Work at night only, and none beside Ollama: through the supervisor, by a clock that tests set."""

import subprocess
import sys
import time
from datetime import datetime

import pytest

from llmlora.services import ollama_activity
from llmlora.services.ollama_activity import OllamaActivity
from llmlora.services.queue import Queue
from llmlora.services.queue_rules import is_in_window
from llmlora.services.queue_supervisor import QueueSupervisor, Surroundings
from llmlora.store import settings
from services.fake_launcher import QUICK, FakeLauncher, speed_up, submit, tick_until

NIGHT = {"start": "22:00", "end": "06:00"}


class World:
    """The time and Ollama, as a test wants them."""

    def __init__(self):
        self.time, self.is_ollama_answering = "12:00", False

    def supervisor(self, database, launcher):
        now = lambda: datetime.fromisoformat(f"2026-11-29T{self.time}")  # noqa: E731
        surroundings = Surroundings(now, lambda: self.is_ollama_answering)
        return QueueSupervisor(database, launcher, QUICK, surroundings)


@pytest.fixture
def launcher():
    fake = FakeLauncher()
    yield fake
    fake.clean_up()


def wish(database, **values):
    with database.write() as connection:
        for key, value in values.items():
            settings.put(connection, database.dialect, key, value)


def look(supervisor, times=3):
    for _ in range(times):
        supervisor.tick()


def state(database, job_id):
    job = Queue(database).get(job_id)
    return job.status, job.reason


def steps(database, job_id, least):
    return lambda: (Queue(database).get(job_id).progress.get("step") or 0) >= least


def test_work_begins_in_its_window_and_what_runs_then_goes_on(database, launcher):
    wish(database, night_window=NIGHT)
    world = World()
    supervisor = world.supervisor(database, launcher)
    first, second = submit(database, steps=300, seconds=0.01), submit(database)
    look(supervisor)
    assert state(database, first) == ("queued", None) and not launcher.started
    world.time = "22:00"
    tick_until(supervisor, steps(database, first, 3))
    world.time = "06:00"
    speed_up(database, first)
    tick_until(supervisor, lambda: state(database, first)[0] == "succeeded")
    look(supervisor)
    assert state(database, second) == ("queued", None)
    assert len(launcher.started) == 1
    wish(database, night_window={"start": "00:00", "end": "00:00"})
    tick_until(supervisor, lambda: state(database, second)[0] == "succeeded")


@pytest.mark.parametrize("reason", ["night_window", "ollama"])
def test_running_work_makes_room_and_goes_on_from_its_checkpoint(database, launcher, reason):
    wish(database, night_window=NIGHT, pause_outside_window=True, pause_while_ollama=True)
    world = World()
    world.time = "23:59"
    supervisor = world.supervisor(database, launcher)
    job_id = submit(database, steps=400, seconds=0.01)
    tick_until(supervisor, steps(database, job_id, 3))
    world.time = "00:01"
    look(supervisor)
    assert state(database, job_id)[0] == "running", "midnight changes nothing"
    world.time, world.is_ollama_answering = ("06:00", False) if reason == "night_window" else ("01:00", True)
    tick_until(supervisor, lambda: state(database, job_id) == ("queued", reason))
    look(supervisor)
    assert launcher.started[0].wait(10) == 75 and len(launcher.started) == 1
    speed_up(database, job_id)
    world.time, world.is_ollama_answering = "22:30", False
    tick_until(supervisor, lambda: state(database, job_id)[0] == "succeeded")
    runs = Queue(database).runs(job_id)
    assert [run.reason for run in runs] == [reason, None]
    assert runs[1].from_step is not None and runs[1].from_step >= 3
    curve = Queue(database).curves(job_id, ("loss",), 400)["loss"]
    assert [bucket.first_step for bucket in curve] == list(range(1, 401))


@pytest.mark.parametrize(
    ("window", "times"),
    [
        (NIGHT, {"21:59": False, "22:00": True, "23:59": True, "00:00": True, "05:59": True, "06:00": False}),
        ({"start": "09:00", "end": "17:30"}, {"08:59": False, "09:00": True, "17:29": True, "17:30": False}),
        ({"start": "09:00", "end": "09:00"}, {"00:00": True, "09:00": True}),
        (None, {"03:00": True}),
        ({"start": "late", "end": 3}, {"03:00": True}),
    ],
)
def test_the_window_ends_where_it_says(window, times):
    found = {clock: is_in_window({"night_window": window}, datetime.fromisoformat(f"2026-01-01T{clock}").time())
             for clock in times}  # fmt: skip
    assert found == times


def test_the_time_is_that_of_the_place(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        ahead = (Surroundings().now().hour - time.gmtime().tm_hour) % 24
        assert ahead in (9, 8)  # the hour may change in between
    finally:
        monkeypatch.undo()
        time.tzset()


def test_ollama_is_heard_by_what_it_computes(tmp_path, monkeypatch):
    """A process of that name that waits is not noticed; one that works is, and for a while after."""
    monkeypatch.setattr(ollama_activity, "LOOK_SECONDS", 0.0)
    monkeypatch.setattr(ollama_activity, "LEAST_SHARE", 0.01)  # other tests run beside it
    program = tmp_path / "ollama"
    program.symlink_to(sys.executable)
    activity = OllamaActivity()
    words = """import sys, time
print(0, flush=True)
sys.stdin.readline()
while time.process_time() < 0.5: pass
print(1, flush=True)
sys.stdin.readline()
"""
    with subprocess.Popen([program, "-S", "-c", words], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert not activity.is_answering()
        process.stdout.readline()
        time.sleep(0.3)  # until what it has computed while it loaded is counted
        activity = OllamaActivity()
        assert not activity.is_answering() and not activity.is_answering()
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        assert activity.is_answering()
        process.communicate(b"\n", timeout=20)
    assert activity.is_answering()
    monkeypatch.setattr(ollama_activity, "QUIET_SECONDS", 0.0)
    assert not activity.is_answering()
