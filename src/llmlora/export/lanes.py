"""Several files at a time, each in a thread of its own that waits for its processes, and what they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Event, Lock
from typing import Any, TypeVar

from llmlora.core.errors import Stopped
from llmlora.core.machine import available_memory_bytes, threads_for_now

Result = TypeVar("Result")

MOST_LANES = 2  # each holds a model, and one thread more in llama.cpp gains less than one file more beside it
POLL_SECONDS = 1.0


def plan_lanes(num_files: int, model_bytes: int) -> tuple[int, int]:
    """Return how many files to check at a time and with how many threads each, on the cores that are free now.

    `model_bytes` is the most memory that one of them takes.
    """
    threads = threads_for_now()
    fitting = available_memory_bytes() // max(1, model_bytes)
    lanes = max(1, min(MOST_LANES, num_files, threads, fitting))
    return lanes, max(1, threads // lanes)


class Lanes:
    """Runs calls side by side; `check` is what they call while they wait, and raises when the work is to end."""

    def __init__(self) -> None:
        self._is_over = Event()

    def check(self) -> None:
        """Raise Stopped when another call, or whoever waits for all, has failed."""
        if self._is_over.is_set():
            raise Stopped("interrupted")

    def run(
        self, calls: Sequence[Callable[[], Result]], num_lanes: int, on_wait: Callable[[int], None]
    ) -> list[Result]:
        """Return what the calls return, in their order; `on_wait` gets the number that is done, every second.

        What it or a call raises ends the others.
        """
        pool = ThreadPoolExecutor(max_workers=num_lanes)
        futures = [pool.submit(call) for call in calls]
        waiting = set(futures)
        try:
            while waiting:
                on_wait(len(futures) - len(waiting))
                done, waiting = wait(waiting, POLL_SECONDS, FIRST_COMPLETED)
                for future in done:
                    future.result()
            return [future.result() for future in futures]
        finally:
            self._is_over.set()
            pool.shutdown(cancel_futures=True)


class Once:
    """Values that several calls need and the first makes; one that could not be made is tried again by the next."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._locks: dict[str, Lock] = {}
        self._values: dict[str, Any] = {}

    def get(self, key: str, make: Callable[[], Result]) -> Result:
        """Return the value of a key, made once."""
        with self._lock:
            lock = self._locks.setdefault(key, Lock())
        with lock:
            if key not in self._values:
                self._values[key] = make()
            value: Result = self._values[key]
            return value
