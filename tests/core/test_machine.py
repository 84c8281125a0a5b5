"""Memory that a process can still get: what the system says, within the container's limit."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import psutil
import pytest

from llmlora.core import machine
from llmlora.core.machine import (
    CoreWatch,
    available_memory_bytes,
    container_limit,
    idle_cores,
    reclaimable_bytes,
    settled_threads,
    threads_for_now,
    total_memory_bytes,
    usable_cores,
)

GIB = 1 << 30
INFO = f"MemTotal:       {16 * GIB // 1024} kB\nMemAvailable:    {8 * GIB // 1024} kB\nSwapFree:  4 kB\n"


@pytest.fixture
def memory_info(tmp_path: Path) -> Path:
    path = tmp_path / "meminfo"
    path.write_text(INFO, encoding="ascii")
    return path


def cgroup(folder: Path, limit: str, used: int = 0, cached: int | None = None) -> Path:
    folder.mkdir()
    (folder / "memory.max").write_text(f"{limit}\n", encoding="ascii")
    (folder / "memory.current").write_text(f"{used}\n", encoding="ascii")
    if cached is not None:
        (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cached}\nslab 7\n", encoding="ascii")
    return folder


def test_without_a_container_the_system_is_believed(memory_info: Path, tmp_path: Path):
    assert available_memory_bytes(memory_info, tmp_path / "absent") == 8 * GIB
    assert available_memory_bytes(memory_info, cgroup(tmp_path / "free", "max")) == 8 * GIB


def test_a_containers_limit_counts_but_its_file_cache_does_not(memory_info: Path, tmp_path: Path):
    small = cgroup(tmp_path / "small", str(4 * GIB), used=3 * GIB, cached=2 * GIB)
    assert available_memory_bytes(memory_info, small) == 3 * GIB
    full = cgroup(tmp_path / "full", str(4 * GIB), used=5 * GIB)
    assert available_memory_bytes(memory_info, full) == 0
    large = cgroup(tmp_path / "large", str(64 * GIB), used=GIB)
    assert available_memory_bytes(memory_info, large) == 8 * GIB


@pytest.mark.parametrize("text", ["", "MemTotal: 5 kB\n", "MemAvailable:\n", "MemAvailable: many kB\n"])
def test_a_system_that_does_not_say_gets_a_guess(text: str, tmp_path: Path):
    path = tmp_path / "meminfo"
    path.write_text(text, encoding="ascii")
    guess = available_memory_bytes(path, tmp_path / "absent")
    assert guess == available_memory_bytes(tmp_path / "absent", tmp_path / "absent") > 0


def test_unreadable_numbers_are_no_limit(tmp_path: Path):
    folder = cgroup(tmp_path / "odd", "lots", cached=3)
    assert container_limit(folder) is None
    assert reclaimable_bytes(folder) == 3
    (folder / "memory.stat").write_text("inactive_file\n", encoding="ascii")
    assert reclaimable_bytes(folder) == 0


def test_this_machine_answers():
    assert 1 << 20 < available_memory_bytes() < 1 << 50


def core_times(*cores: tuple[int, int]) -> str:
    """Return a /proc/stat with these (busy, idle) ticks of each core."""
    lines = [f"cpu{core} {busy} 0 0 {idle} 0 0 0 0 0 0" for core, (busy, idle) in enumerate(cores)]
    return "\n".join(["cpu  9 9 9 9 9 9 9 9 0 0", *lines, "intr 5 0", ""])


@pytest.mark.parametrize(
    ("spent", "threads"),
    [
        ([(0, 20), (1, 19), (0, 20), (2, 18)], 4),
        ([(20, 0), (1, 19), (0, 20), (2, 18)], 3),
        ([(12, 8), (13, 7), (20, 0), (20, 0)], 1),
        ([(20, 0), (20, 0), (20, 0), (20, 0)], 1),
    ],
)
def test_threads_follow_the_cores_that_are_free_now(
    spent: list[tuple[int, int]], threads: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    path, begun = tmp_path / "stat", [(700, 10), (3, 900), (5, 5), (100, 100)]
    path.write_text(core_times(*begun), encoding="ascii")

    def pass_time(_: float) -> None:
        later = [(busy + more, idle + rest) for (busy, idle), (more, rest) in zip(begun, spent, strict=True)]
        path.write_text(core_times(*later), encoding="ascii")

    monkeypatch.setattr(machine.time, "sleep", pass_time)
    assert idle_cores(path) == threads


def test_cores_that_this_process_may_not_use_are_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 2}, raising=False)
    path = tmp_path / "stat"
    path.write_text(core_times((0, 0), (0, 0), (0, 0)), encoding="ascii")
    monkeypatch.setattr(
        machine.time, "sleep", lambda _: path.write_text(core_times((9, 1), (0, 9), (0, 9)), encoding="ascii")
    )
    assert idle_cores(path) == 1


class Clock:
    """Time and this process's own computing, moved by hand; whoever sleeps never wakes."""

    def __init__(self) -> None:
        self.now = self.own = 0.0
        self.sleep = lambda _: threading.Event().wait()

    def monotonic(self) -> float:
        return self.now

    def process_time(self) -> float:
        return self.own


@pytest.mark.parametrize(
    ("busy_seconds", "own", "free"),
    [(0.0, 0.0, 4), (1.0, 0.0, 3), (3.9, 0.0, 1), (4.0, 0.0, 1), (2.0, 2.0, 4), (3.0, 1.0, 2)],
)
def test_a_watch_counts_what_others_compute_and_not_what_this_process_does(
    busy_seconds: float, own: float, free: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(machine.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(machine, "time", clock := Clock())
    path = tmp_path / "stat"
    path.write_text(core_times(*[(50, 50)] * 4), encoding="ascii")
    watch = CoreWatch(path)
    assert watch.free_cores() == 4  # nothing is known yet
    ticks = round(busy_seconds * os.sysconf("SC_CLK_TCK") / 4)
    path.write_text(core_times(*[(50 + ticks, 50)] * 4), encoding="ascii")
    clock.now, clock.own = 1.0, own
    assert watch.free_cores() == free


def test_all_memory_is_that_of_the_container(tmp_path: Path):
    assert total_memory_bytes(cgroup(tmp_path / "small", str(GIB))) == GIB
    assert total_memory_bytes(cgroup(tmp_path / "none", "max")) == psutil.virtual_memory().total


@pytest.mark.parametrize("text", [None, "", "cpu0 words\n", "cpu0 1 2\n", core_times((5, 5))])
def test_a_system_that_tells_nothing_of_its_cores_has_all_of_them_free(text: str | None, tmp_path: Path):
    path = tmp_path / "stat"
    if text is not None:
        path.write_text(text, encoding="ascii")
    assert idle_cores(path, seconds=0.0) == usable_cores()


def test_the_users_number_of_threads_needs_no_look(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(machine, "idle_cores", lambda: 5)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert threads_for_now() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "")
    assert threads_for_now() == 5


@pytest.mark.parametrize(
    ("wanted", "num_parameters", "threads"),
    [("3", 1_000_000, 3), ("3", 10**9, 3), ("", 1_000_000, 1), ("", machine.SMALL_MODEL, None)],
)
def test_threads_are_settled_by_the_user_or_by_a_small_model(
    monkeypatch: pytest.MonkeyPatch, wanted: str, num_parameters: int, threads: int | None
):
    monkeypatch.setenv("OMP_NUM_THREADS", wanted)
    assert settled_threads(num_parameters) == threads
