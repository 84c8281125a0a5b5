"""Files side by side: as many as cores and memory allow, what they share made once, one failure ending all."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from llmlora.core.errors import RunError, Stopped
from llmlora.export import lanes
from llmlora.export.lanes import Lanes, Once, plan_lanes

GIB = 1 << 30


@pytest.mark.parametrize(
    ("free_cores", "num_files", "free_memory", "planned"),
    [
        (2, 3, 8 * GIB, (2, 1)),
        (1, 3, 8 * GIB, (1, 1)),  # somebody else computes
        (8, 3, 8 * GIB, (2, 4)),
        (3, 2, 8 * GIB, (2, 1)),
        (2, 1, 8 * GIB, (1, 2)),
        (2, 3, 1 * GIB, (1, 2)),  # two of these would not fit
        (2, 3, 0, (1, 2)),
    ],
)
def test_two_files_at_a_time_where_cores_and_memory_are_free(
    free_cores: int, num_files: int, free_memory: int, planned: tuple[int, int], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(lanes, "threads_for_now", lambda: free_cores)
    monkeypatch.setattr(lanes, "available_memory_bytes", lambda: free_memory)
    assert plan_lanes(num_files, GIB) == planned


def test_results_keep_the_order_of_the_calls_and_what_is_done_is_said():
    first_may_end = threading.Event()
    seen: list[int] = []

    def first() -> str:
        assert first_may_end.wait(20)
        return "a"

    def second() -> str:
        return "b"

    def on_wait(num_done: int) -> None:
        seen.append(num_done)
        if num_done == 1:
            first_may_end.set()

    assert Lanes().run([first, second], 2, on_wait) == ["a", "b"]
    assert seen[0] in (0, 1)
    assert 1 in seen


def test_one_lane_runs_one_call_after_the_other():
    running, most = [0], [0]

    def call() -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        time.sleep(0.01)
        running[0] -= 1

    Lanes().run([call] * 4, 1, lambda done: None)
    assert most == [1]


def waiting(found: Lanes, begun: threading.Event) -> Callable[[], None]:
    def call() -> None:
        begun.set()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            found.check()
            time.sleep(0.01)

    return call


def test_a_stop_ends_every_call():
    found, begun, later = Lanes(), threading.Event(), threading.Event()

    def on_wait(num_done: int) -> None:
        assert begun.wait(20)
        raise Stopped("export_stopped", path="x")

    started = time.monotonic()
    with pytest.raises(Stopped, match="export_stopped"):
        found.run([waiting(found, begun), waiting(found, threading.Event()), later.set], 2, on_wait)
    assert time.monotonic() - started < 10
    assert not later.is_set()


def test_a_call_that_fails_ends_the_others():
    found, begun = Lanes(), threading.Event()

    def fail() -> None:
        assert begun.wait(20)
        raise RunError("native_abort", how="x", detail="")

    with pytest.raises(RunError, match="native_abort"):
        found.run([waiting(found, begun), fail], 2, lambda done: None)


def test_what_several_calls_need_is_made_once():
    once, made = Once(), []

    def make() -> int:
        made.append(1)
        time.sleep(0.05)
        return 7

    assert Lanes().run([lambda: once.get("a", make)] * 4, 4, lambda done: None) == [7] * 4
    assert len(made) == 1


def test_what_could_not_be_made_is_tried_again():
    once = Once()

    def fail() -> int:
        raise RunError("native_abort", how="x", detail="")

    with pytest.raises(RunError):
        once.get("a", fail)
    assert once.get("a", lambda: 3) == 3
    assert once.get("b", lambda: 4) == 4
