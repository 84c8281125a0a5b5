"""Start worker processes, follow their events, stop them cleanly; nothing heavy is imported here."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from llmlora.core.errors import Conflict, DiskFull, LlmloraError, OutOfMemory, WorkerDied, error_from_dict
from llmlora.core.events import events_after
from llmlora.core.job import stopped_early
from llmlora.core.layout import (
    CONFIG_FILE,
    EVENTS_FILE,
    LOCK_FILE,
    LOG_FILE,
    new_id,
    next_run,
    run_dir,
    scratch_dir,
)
from llmlora.core.locale import current_language
from llmlora.core.memory import tells_of_memory
from llmlora.core.publish import free_bytes, write_json
from llmlora.services.packages import require_packages

Event = dict[str, Any]
OnEvent = Callable[[Event], None]
POLL_SECONDS = 0.05
FULL_DISK_BYTES = 1 << 16
LOG_TAIL_BYTES = 4096


class Worker:
    """One running worker process and the events it has written so far."""

    def __init__(self, kind: str, folder: Path, *, pipes: bool = False) -> None:
        require_packages()
        self.kind = kind
        self.folder = folder
        self.run = next_run(folder)
        pipe = subprocess.PIPE if pipes else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [sys.executable, "-m", "llmlora.worker", kind, str(folder)],
            stdin=pipe,
            stdout=pipe,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "LLMLORA_PARENT": str(os.getpid()), "LLMLORA_LANG": current_language()},
        )
        self._offset = 0
        self.was_stopped = False

    @property
    def events_path(self) -> Path:
        """The event file of this run; it appears when the worker has started."""
        return run_dir(self.folder, self.run) / EVENTS_FILE

    def new_events(self) -> Iterator[Event]:
        """Yield the events this worker has written since the last call."""
        for offset, event in events_after(self.events_path, self._offset):
            if event["type"] == "run_started" and event.get("pid") != self.process.pid:
                self.run += 1  # another worker was faster and took this number; ours comes after it or not at all
                return
            self._offset = offset
            yield event

    def stop(self) -> None:
        """Ask the worker to stop at its next safe point; asked a second time, end it at once."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL if self.was_stopped else signal.SIGTERM)
            self.was_stopped = True


def lock_holder(folder: Path) -> str | None:
    """Return the process that works in a folder right now ("?" when it has not said), or None when nobody does."""
    try:
        with (folder / LOCK_FILE).open("r+", encoding="utf-8") as stream:
            fcntl.flock(stream.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (folder / LOCK_FILE).read_text(encoding="utf-8").strip() or "?"
    except OSError:
        return None
    return None


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
    while True:
        has_ended = worker.process.poll() is not None
        for event in worker.new_events():
            listener(event)
            if event["type"] == "run_ended":
                return event
        if has_ended:
            raise _silent_end(worker)
        time.sleep(POLL_SECONDS)


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


@contextmanager
def scratch_folder(config: dict[str, Any]) -> Iterator[Path]:
    """Yield a short-lived folder with a `config.json`, for work that leaves nothing behind."""
    folder = scratch_dir() / new_id()
    folder.mkdir(parents=True)
    try:
        write_json(folder / CONFIG_FILE, config)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
