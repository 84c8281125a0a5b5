"""Run a worker to its end: hand its events on, pass stops on to it, return its result."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmlora.services.follow import Event, OnEvent
from llmlora.services.launch import Worker
from llmlora.services.outcome import outcome


def run_worker(kind: str, folder: Path, on_event: OnEvent | None = None) -> dict[str, Any]:
    """Run one worker to its end and return its result.

    Ctrl-C and SIGTERM of this process are passed on as a request to stop; the worker then saves what it has. Nothing
    else that happens here stops it: what `on_event` raises is raised again when the work has ended, and it is not
    called any more. (KeyboardInterrupt and SystemExit are no accidents: they stop the work.)

    Raises:
        Exception: what `on_event` raised, when the work itself succeeded.
        LlmloraError: the typed error of the worker; `WorkerDied` or `OutOfMemory` when it ended without a word.
    """
    worker = Worker(kind, folder)
    listener = _Listener(on_event)
    with _passing_on_signals(worker):
        for event in worker.events:
            listener(event)
        worker.process.wait()
    ended = outcome(folder, worker.run, worker.process.returncode, worker.was_stopped)
    if ended.error is not None:
        raise ended.error from listener.failure
    if listener.failure is not None:
        raise listener.failure
    return ended.result or {}


class _Listener:
    """Hand events on until the one who listens fails; the failure is kept."""

    def __init__(self, on_event: OnEvent | None) -> None:
        self._on_event = on_event
        self.failure: Exception | None = None

    def __call__(self, event: Event) -> None:
        if self._on_event is None or self.failure is not None:
            return
        try:
            self._on_event(event)
        except Exception as error:
            self.failure = error


@contextmanager
def _passing_on_signals(worker: Worker) -> Iterator[None]:
    previous = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            previous[number] = signal.signal(number, lambda *_: worker.stop())
    except ValueError:  # not the main thread: the caller handles signals itself
        previous.clear()
    try:
        yield
    except BaseException as error:
        if not isinstance(error, Exception):
            worker.stop()
        worker.process.wait()
        raise
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
