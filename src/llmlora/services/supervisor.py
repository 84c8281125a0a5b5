"""Run a worker to its end: hand its events on, pass stops on to it, say how it ended when it did not say so itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmlora.core.errors import Conflict, DiskFull, LlmloraError, OutOfMemory, WorkerDied, error_from_dict
from llmlora.core.job import stopped_early
from llmlora.core.layout import LOCK_FILE, LOG_FILE, run_dir
from llmlora.core.memory import tells_of_memory
from llmlora.core.publish import free_bytes
from llmlora.services.follow import Event, OnEvent
from llmlora.services.launch import Worker

FULL_DISK_BYTES = 1 << 16
LOG_TAIL_BYTES = 4096


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
        ended = _follow(worker, listener)
        worker.process.wait()
    if ended["status"] != "succeeded":
        raise error_from_dict(ended["error"]) from listener.failure
    if listener.failure is not None:
        raise listener.failure
    return dict(ended["result"])


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


def _follow(worker: Worker, listener: OnEvent) -> Event:
    """Hand on every event of a worker and return its last one."""
    for event in worker.events:
        listener(event)
        if event["type"] == "run_ended":
            return event
    raise _silent_end(worker)


def _silent_end(worker: Worker) -> LlmloraError:
    code = worker.process.returncode
    if worker.was_stopped and code < 0:  # before it could listen to a stop, or asked a second time
        return stopped_early(worker.folder, asked_twice=code == -signal.SIGKILL)
    if code == Conflict.exit_code:
        pid = (worker.folder / LOCK_FILE).read_text(encoding="utf-8").strip()
        return Conflict("folder_locked", path=str(worker.folder), pid=pid or "?")
    if free_bytes(worker.folder) < FULL_DISK_BYTES:
        return DiskFull("disk_full", path=str(worker.folder), free_bytes=free_bytes(worker.folder))
    if code == -signal.SIGKILL or tells_of_memory(_log_tail(worker)):
        return OutOfMemory("worker_killed", kind=worker.kind, folder=str(worker.folder))
    return WorkerDied("worker_died", kind=worker.kind, exit_code=code, folder=str(worker.folder))


def _log_tail(worker: Worker) -> str:
    try:
        with (run_dir(worker.folder, worker.run) / LOG_FILE).open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - LOG_TAIL_BYTES))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""


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
