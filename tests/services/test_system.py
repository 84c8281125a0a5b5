"""The numbers about this machine."""

from __future__ import annotations

import subprocess
import sys
import time

from llmlora.services.system import CpuUse


def test_a_busy_core_shows_at_the_first_look() -> None:
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        assert CpuUse().percent() > 0
    finally:
        busy.kill()
        busy.wait()


def test_looks_at_once_give_the_same(monkeypatch) -> None:
    use = CpuUse()
    first = use.percent()
    assert [use.percent() for _ in range(50)] == [first] * 50
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 2)
    monkeypatch.setattr("psutil.cpu_percent", lambda interval: 42.5)
    assert use.percent() == 42.5
