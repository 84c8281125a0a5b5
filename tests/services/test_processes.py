"""A process is told from a later one with the same number, and from one that is only waiting to be reaped."""

import os
import subprocess
import sys
import time
from dataclasses import replace

from llmlora.core.boot_clock import Moment, boot_id, boot_seconds, now
from llmlora.services.processes import Process
from llmlora.services.queue_runs import is_living, new_owner
from llmlora.services.stall import Pace


def test_this_process_lives():
    process = Process.of(os.getpid())
    assert process is not None and process.is_alive()
    assert process.pid == os.getpid() and process.boot_id == boot_id()


def test_a_later_process_with_the_same_number_is_another():
    process = Process.of(os.getpid())
    assert not replace(process, started=process.started - 60).is_alive()
    assert not replace(process, boot_id="an earlier start").is_alive()


def test_one_that_has_ended_does_not_live_although_nobody_has_reaped_it():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process = Process.of(child.pid)
    assert process.is_alive()
    child.kill()
    deadline = time.monotonic() + 10
    while process.is_alive():
        assert time.monotonic() < deadline
    assert Process.of(child.pid) is None
    child.wait()
    assert not process.is_alive()


def test_an_owner_names_its_process():
    process = Process.of(os.getpid())
    assert is_living(new_owner(process))
    assert not is_living(new_owner(replace(process, started=1.0)))
    assert not is_living(new_owner(None)) and not is_living("nonsense")
    assert new_owner(process) != new_owner(process)


def test_the_clock_goes_forward_whatever_the_wall_clock_does(monkeypatch):
    before = boot_seconds()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert boot_seconds() >= before


def test_a_moment_passes_with_time_or_with_a_new_start():
    moment = now()
    assert moment.has_passed(moment) and moment.has_passed(moment.after(1))
    assert not moment.after(1).has_passed(moment)
    assert Moment("an earlier start", 1e12).has_passed(moment)


def steps(*monos, total=100):
    return [{"type": "step", "step": n + 1, "total_steps": total, "mono": mono} for n, mono in enumerate(monos)]


def at(monkeypatch, seconds):
    monkeypatch.setattr("llmlora.services.stall.time.monotonic", lambda: seconds)


def test_a_stall_is_told_once_by_the_runs_own_pace(monkeypatch):
    at(monkeypatch, 0.0)
    pace = Pace(1800.0)
    pace.see(steps(0.0, 2.0, 4.0, 6.0))
    at(monkeypatch, 19.0)
    pace.see([])
    assert pace.new_stall() is None
    at(monkeypatch, 21.0)
    assert pace.new_stall() is None  # nobody has looked since
    pace.see([])
    assert pace.new_stall() == 21.0 and pace.new_stall() is None
    assert not pace.is_hopeless()
    at(monkeypatch, 1801.0)
    pace.see([])
    assert pace.is_hopeless()
    pace.see(steps(1801.0))
    assert not pace.is_hopeless()


def test_slow_steps_are_given_their_time(monkeypatch):
    at(monkeypatch, 0.0)
    pace = Pace(1800.0)
    pace.see(steps(0.0, 600.0, 1200.0))
    at(monkeypatch, 5000.0)
    pace.see([])
    assert pace.new_stall() is None and not pace.is_hopeless()


def test_before_the_first_and_behind_the_last_step_nothing_stalls(monkeypatch):
    at(monkeypatch, 0.0)
    for events in (
        [{"type": "run_started"}, {"type": "phase", "name": "preparing"}],
        steps(0.0, 1.0, total=2),
        [*steps(0.0, 1.0), {"type": "phase", "name": "saving"}],
    ):
        pace = Pace(1800.0)
        pace.see(events)
        at(monkeypatch, 1e6)
        pace.see([])
        assert pace.new_stall() is None and not pace.is_hopeless()
        at(monkeypatch, 0.0)
