"""What every worker does around its one kind of work: lock, run folder, log, stop signals, events, exit code."""

from __future__ import annotations

import faulthandler
import fcntl
import importlib
import io
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from llmlora import __version__
from llmlora.core.errors import Conflict, DiskFull, LlmloraError, OutOfMemory, Stopped, WorkerDied, exit_code_of
from llmlora.core.events import EventWriter, finite
from llmlora.core.job import stopped_early
from llmlora.core.layout import (
    CONFIG_FILE,
    LOCK_FILE,
    LOG_FILE,
    RESERVE_FILE,
    RESULT_FILE,
    next_run,
    run_dir,
    run_numbers,
)
from llmlora.core.memory import is_memory_error
from llmlora.core.publish import free_bytes, is_disk_full, not_permitted, read_json, write_json

KINDS = {
    "train": "llmlora.worker.train",
    "prepare": "llmlora.worker.prepare",
    "inspect": "llmlora.worker.inspect",
    "inspect_export": "llmlora.worker.inspect_export",
    "inspect_headers": "llmlora.worker.inspect_headers",
    "download": "llmlora.worker.download",
    "open_base": "llmlora.worker.open_base",
    "check_method": "llmlora.worker.check_method",
    "evaluate": "llmlora.worker.evaluate",
    "merge": "llmlora.worker.merge",
    "export": "llmlora.worker.export",
    "verify": "llmlora.worker.verify",
    "register": "llmlora.worker.register",
    "chat": "llmlora.worker.chat",
    "chat_gguf": "llmlora.worker.chat_gguf",
    "chat_served": "llmlora.worker.chat_served",
}
LOCK_WAIT_SECONDS = 30.0
RESERVE_BYTES = 1 << 16  # given back on a full disk, so that the last words of a run can still be written


class StopFlag:
    """Set by SIGTERM, by Ctrl-C, or when the process that started this worker is gone; the work looks at it often.

    No lock is in it: a signal that comes while the one before is being taken would wait for itself.
    """

    def __init__(self) -> None:
        self._is_set = False
        self.ends_at_once = False

    def set(self) -> None:
        """Ask the work to stop at its next safe point."""
        self._is_set = True

    def __bool__(self) -> bool:
        return self._is_set

    def on_signal(self, *_: object) -> None:
        """Take a stop signal; while libraries are loading (`ends_at_once`) nothing is worth waiting for."""
        self.set()
        if self.ends_at_once:
            self.ends_at_once = False
            raise Stopped("interrupted")


class Work(Protocol):
    """The one function of a worker kind."""

    def __call__(self, folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]: ...


def watch_stop_signals() -> StopFlag:
    """Return a flag that SIGTERM, SIGINT and the death of the starting process (`LLMLORA_PARENT`) set."""
    stop = StopFlag()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop.on_signal)
    parent = int(os.environ.get("LLMLORA_PARENT") or 0)
    if parent:
        threading.Thread(target=_watch_parent, args=(parent, stop), daemon=True).start()
    return stop


def _watch_parent(parent: int, stop: StopFlag) -> None:
    while os.getppid() == parent:
        time.sleep(0.2)
    os.kill(os.getpid(), signal.SIGTERM)  # ends also what has no time to look at the flag


@contextmanager
def folder_lock(folder: Path, wait_seconds: float = LOCK_WAIT_SECONDS) -> Iterator[None]:
    """Hold `worker.lock` of a folder; a worker that is just stopping is waited for, then `Conflict`."""
    with (folder / LOCK_FILE).open("a+") as stream:
        deadline = time.monotonic() + wait_seconds
        while not _try_lock(stream):
            if time.monotonic() > deadline:
                stream.seek(0)
                raise Conflict("folder_locked", path=str(folder), pid=stream.read().strip() or "?")
            time.sleep(0.1)
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield


def _try_lock(stream: io.TextIOBase) -> bool:
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _log_to(path: Path) -> None:
    """Send everything that libraries print to the run's log; nobody has to read a pipe for the run to go on."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(descriptor, 2)
    os.dup2(descriptor, 1)
    os.close(descriptor)
    faulthandler.enable(all_threads=False)  # a crash of native code leaves a word, so that it is told from a kill


def classify(error: BaseException, folder: Path) -> LlmloraError:
    """Return the typed error for anything a worker can raise."""
    if isinstance(error, Stopped) and not error.has_checkpoint:
        return stopped_early(folder)
    if isinstance(error, LlmloraError):
        return error
    if is_memory_error(error):
        return OutOfMemory("out_of_memory", detail=str(error).splitlines()[0][:200] if str(error) else "")
    if isinstance(error, Exception) and is_disk_full(error):
        return DiskFull("disk_full", path=str(folder), free_bytes=free_bytes(folder))
    if isinstance(error, PermissionError):
        return not_permitted(error)
    return WorkerDied("internal", detail=f"{type(error).__name__}: {error}"[:500])


def run_kind(kind: str, folder: Path, run: int | None = None) -> int:
    """Do one kind of work on one folder and return the exit code; the outcome is the `run_ended` event.

    `run` is the number that the starting process has reserved; without it the next one is taken.
    """
    stop = watch_stop_signals()
    with folder_lock(folder):
        _check_not_superseded(folder, run)
        run = run or next_run(folder)
        directory = run_dir(folder, run)
        directory.mkdir(parents=True, exist_ok=True)
        _log_to(directory / LOG_FILE)
        events = EventWriter(directory, run)
        reserve = folder / RESERVE_FILE
        try:
            reserve.write_bytes(bytes(RESERVE_BYTES))
            events.emit("run_started", kind=kind, pid=os.getpid(), version=__version__)
            work = _loaded(kind, stop)
            result = work(folder, read_json(folder / CONFIG_FILE), events, stop)
            reserve.unlink(missing_ok=True)
            write_json(directory / RESULT_FILE, finite(result))
            events.emit("run_ended", status="succeeded", result=result)
            return 0
        except Exception as error:  # the edge: whatever happened becomes one typed error
            reserve.unlink(missing_ok=True)
            return _report_failure(error, folder, events)
        finally:
            with suppress(OSError):  # a full disk; the outcome has been told already
                events.close()


def _check_not_superseded(folder: Path, run: int | None) -> None:
    """Let a run that the queue has given up before it began not begin.

    Whoever reserves the next run looks at the lock afterwards; whoever has the lock looks for a next run. So one of the
    two always sees the other.

    Raises:
        Conflict: `run_superseded`.
    """
    if run is not None and not os.environ.get("LLMLORA_PARENT") and run_numbers(folder)[-1:] > [run]:
        raise Conflict("run_superseded", path=str(folder), run=run)


def _loaded(kind: str, stop: StopFlag) -> Work:
    """Import a kind of work with its libraries, which takes seconds; a stop ends it."""
    stop.ends_at_once = True
    work: Work = importlib.import_module(KINDS[kind]).run
    stop.ends_at_once = False
    if stop:  # some library has swallowed the exception, or the parent is gone
        raise Stopped("interrupted")
    return work


def _report_failure(error: Exception, folder: Path, events: EventWriter) -> int:
    typed = classify(error, folder)
    status = "interrupted" if isinstance(typed, Stopped) else "failed"
    with suppress(OSError):  # when not even the reserve helped, the exit code still says that the run failed
        events.emit("run_ended", status=status, error=typed.to_dict())
        sys.stderr.write("".join(traceback.format_exception(error)))
        sys.stderr.flush()
    return exit_code_of(typed)
