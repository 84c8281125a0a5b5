"""How a run has ended, told from its files by any process: its result, or why there is none."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from llmlora.core.errors import Conflict, DiskFull, LlmloraError, OutOfMemory, Stopped, WorkerDied, error_from_dict
from llmlora.core.events import read_events, read_job_events
from llmlora.core.free_place import free_place
from llmlora.core.job import folder_kind, read_job, stopped_early
from llmlora.core.layout import CONFIG_FILE, EVENTS_FILE, LOCK_FILE, LOG_FILE, run_dir
from llmlora.core.memory import smaller_settings, tells_of_memory
from llmlora.core.publish import free_bytes
from llmlora.services.follow import lock_holder

FULL_DISK_BYTES = 1 << 16
LOG_TAIL_BYTES = 32 << 10  # the last words of native code stand before a stack and a list of modules
DEADLINE = "Timeout ("  # what the interpreter writes before it ends a process at its deadline
# What a worker's crash handler writes -> the signal that ended it; an exit code, where it is known, says it as well.
CRASHES = {
    "Fatal Python error: Segmentation fault": signal.SIGSEGV,
    "Fatal Python error: Aborted": signal.SIGABRT,
    "Fatal Python error: Bus error": signal.SIGBUS,
    "Fatal Python error: Floating-point exception": signal.SIGFPE,
    "Fatal Python error: Illegal instruction": signal.SIGILL,
}


@dataclass(frozen=True)
class Outcome:
    """The end of a run: its `result`, or the typed `error`; who asks decides whether to raise it.

    `is_silent` tells that the worker itself did not say how it ended.
    """

    status: Literal["succeeded", "failed", "interrupted"]
    result: dict[str, Any] | None = None
    error: LlmloraError | None = None
    is_silent: bool = False


def outcome(folder: Path, run: int, exit_code: int | None = None, was_stopped: bool = False) -> Outcome:
    """Return how a run has ended, whoever started it; ask when `follow` has come to its end.

    `exit_code` is the worker's, negative for a signal, where the asking process knows it; `was_stopped` tells that it
    was asked to stop.
    """
    ended = next((event for event in read_events(_events(folder, run)) if event["type"] == "run_ended"), None)
    if ended is not None and ended["status"] == "succeeded":
        return Outcome("succeeded", result=dict(ended["result"]))
    error = error_from_dict(ended["error"]) if ended else _silent_end(folder, run, exit_code, was_stopped)
    if folder_kind(folder) == "train":
        error = _of_training(folder, error)
    return Outcome("interrupted" if isinstance(error, Stopped) else "failed", error=error, is_silent=ended is None)


def _events(folder: Path, run: int) -> Path:
    return run_dir(folder, run) / EVENTS_FILE


def _silent_end(folder: Path, run: int, exit_code: int | None, was_stopped: bool) -> LlmloraError:
    """Return what it means that a worker has ended without a word."""
    kind, log = folder_kind(folder), _log_tail(folder, run)
    code = exit_code if exit_code is not None else _crash(log)
    if was_stopped and (code is None or code < 0):  # before it could listen to a stop, or asked a second time
        return stopped_early(folder, asked_twice=code == -signal.SIGKILL)
    if code == Conflict.exit_code or (code is None and not _events(folder, run).is_file() and lock_holder(folder)):
        pid = (folder / LOCK_FILE).read_text(encoding="utf-8").strip()
        return Conflict("folder_locked", path=str(folder), pid=pid or "?")
    if code == -signal.SIGXCPU or DEADLINE in log:
        return WorkerDied("worker_deadline", kind=kind, folder=str(folder))
    if free_bytes(folder) < FULL_DISK_BYTES:
        return DiskFull("disk_full", path=str(folder), free_bytes=free_bytes(folder))
    if code in (None, -signal.SIGKILL) or tells_of_memory(log):  # it was killed, or it would have left a word
        return OutOfMemory("worker_killed", kind=kind, folder=str(folder))
    return WorkerDied("worker_died", kind=kind, exit_code=code, folder=str(folder))


def _crash(log: str) -> int | None:
    return next((-number for words, number in CRASHES.items() if words in log), None)


def _log_tail(folder: Path, run: int) -> str:
    try:
        with (run_dir(folder, run) / LOG_FILE).open("rb") as stream:
            stream.seek(max(0, os.fstat(stream.fileno()).st_size - LOG_TAIL_BYTES))
            return stream.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _of_training(folder: Path, error: LlmloraError) -> LlmloraError:
    """Return the error of a training run with what to do next: start again, or smaller settings to repeat it with."""
    if isinstance(error, Stopped) and not error.has_checkpoint:
        return Stopped("stopped_before_training", folder=str(folder))
    if not isinstance(error, OutOfMemory):
        return error
    proposals = smaller_settings(read_job(folder).train, _least_length(folder))
    if not proposals:
        return OutOfMemory("train_memory_at_least", folder=str(folder))
    params = {
        "folder": str(folder),
        "config": str(folder / CONFIG_FILE),
        "out": str(free_place(folder)),
        "first": proposals[0],
        "further": " / ".join(proposals[1:]) or "-",
    }
    if error.code == "worker_killed":  # perhaps by the system, perhaps by somebody
        return OutOfMemory("train_killed", **params)
    return OutOfMemory("train_out_of_memory", detail=error.params.get("detail", ""), **params)


def _least_length(folder: Path) -> int | None:
    """Return how short rows may become, if a run of the job has prepared them."""
    recorded = [event.get("params", {}) for event in read_job_events(folder) if event.get("name") == "prepared"]
    return recorded[-1].get("least_length") if recorded else None
