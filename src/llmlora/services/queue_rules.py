"""What the queue decides, as functions of what is known: whether a job may start, and what follows the end of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Final

from llmlora.core.config import MOST_MICRO_BATCHES, TrainConfig
from llmlora.core.errors import Conflict, DependencyError, DiskFull, LlmloraError, OutOfMemory, Stopped, WorkerDied
from llmlora.store.jobs import JobRow
from llmlora.store.runs import RunRow

MAX_RUNNING: Final = 1
RESERVE_BYTES: Final = 512 << 20  # of the disk that no new job begins to use
MOST_RETRIES: Final = 2
RETRY_SECONDS: Final = (2.0, 10.0)


@dataclass(frozen=True, slots=True)
class Situation:
    """What the start of a job depends on."""

    num_running: int
    free_bytes: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    clock: time = time()  # of the day, where the machine stands
    is_ollama_answering: bool = False


def what_prevents_start(now: Situation) -> str | None:
    """Return the code of what keeps the next job from starting now, None when it may start."""
    if now.num_running >= max_running(now.settings):
        return "max_running"
    if now.free_bytes < RESERVE_BYTES:
        return "disk_reserve"
    if not is_in_window(now.settings, now.clock):
        return "night_window"
    return _what_ollama_prevents(now)


def what_pauses(now: Situation) -> str | None:
    """Return the code of why running work saves and makes room now, None when it goes on."""
    if now.settings.get("pause_outside_window") is True and not is_in_window(now.settings, now.clock):
        return "night_window"
    return _what_ollama_prevents(now)


def _what_ollama_prevents(now: Situation) -> str | None:
    return "ollama" if now.settings.get("pause_while_ollama") is True and now.is_ollama_answering else None


def is_in_window(settings: Mapping[str, Any], clock: time) -> bool:
    """Tell whether work may begin at a time of the day: always without a window, and it may lie across midnight."""
    window = settings.get("night_window")
    try:
        start, end = time.fromisoformat(window["start"]), time.fromisoformat(window["end"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return True
    if start <= end:
        return start == end or start <= clock < end
    return clock >= start or clock < end


def max_running(settings: Mapping[str, Any]) -> int:
    """Return how many jobs may run at a time."""
    value = settings.get("max_running", MAX_RUNNING)
    return value if isinstance(value, int) and value >= 0 else MAX_RUNNING


@dataclass(frozen=True, slots=True)
class RunEnd:
    """How a run has ended: its result, or the error; `is_silent` when the worker itself did not say."""

    result: dict[str, Any] | None = None
    error: LlmloraError | None = None
    is_silent: bool = False
    reason: str | None = None  # why the queue ended it, where it did


@dataclass(frozen=True, slots=True)
class Decision:
    """What follows: a transition of the job, why, and for a run that is tried again when."""

    transition: str
    reason: str | None = None
    error: LlmloraError | None = None
    num_retries: int = 0
    wait_seconds: float = 0.0
    settings: Mapping[str, Any] | None = None  # with which the next run goes on


def after_run(job: JobRow, runs: Sequence[RunRow], end: RunEnd, train: TrainConfig | None = None) -> Decision:
    """Return what follows the end of the newest run; `runs` are all runs of the job, the newest one last.

    `train` are the settings of a training job; with them a run for which the memory was too small gets smaller ones.

    A wish of the user counts more than how the worker ended, unless it has succeeded. What was saved is kept always.
    """
    if end.error is None:
        return Decision("succeed")
    if job.stop_request == "cancel":
        return Decision("stop_canceled")
    if job.stop_request == "pause":
        return Decision("stop_paused", "user")
    if end.is_silent and isinstance(end.error, Conflict):  # somebody else works in the folder
        return Decision("interrupt", "folder_busy", None, job.num_retries, RETRY_SECONDS[0])
    if isinstance(end.error, DiskFull):
        return Decision("stop_paused", "disk_full", end.error)
    if isinstance(end.error, Stopped):
        if job.origin == "command":  # somebody stopped a command: that is not for the queue to undo
            return Decision("stop_paused", "command")
        return Decision("interrupt", end.reason or "stopped", num_retries=job.num_retries)
    settings = None if train is None else _fitting_settings(job, runs, end, train)
    if settings is not None:
        return Decision("interrupt", "less_memory", None, job.num_retries, RETRY_SECONDS[0], settings)
    if may_retry(end) and not _failed_there_before(runs, end):
        return _retry(job, runs, end)
    return Decision("fail", end.error.code, end.error)


def _fitting_settings(job: JobRow, runs: Sequence[RunRow], end: RunEnd, train: TrainConfig) -> Mapping[str, Any] | None:
    """Return smaller settings when memory ran out: the run has said so, or it was killed at the same step twice."""
    if not isinstance(end.error, OutOfMemory) or job.origin == "command":
        return None
    if end.is_silent and (end.reason is not None or not _failed_there_before(runs, end)):
        return None  # the queue has killed it, or perhaps somebody
    return less_memory(train)


def may_retry(end: RunEnd) -> bool:
    """Tell whether another attempt may go better: the worker died, or something outside did not answer."""
    if isinstance(end.error, OutOfMemory):
        return end.is_silent  # killed, perhaps by somebody; a run that itself ran out of memory does so again
    return end.is_silent or isinstance(end.error, WorkerDied | DependencyError)


def _failed_there_before(runs: Sequence[RunRow], end: RunEnd) -> bool:
    """Tell whether the run before ended at the same step with the same error."""
    if len(runs) < 2 or _reached(runs[-1]) is None or end.error is None:
        return False
    before = runs[-2]
    return _reached(before) == _reached(runs[-1]) and (before.error or {}).get("code") == end.error.code


def _reached(run: RunRow) -> int | None:
    """Return the last step that a run has made, or that it began from."""
    return run.from_step if run.last_step is None else run.last_step


def _retry(job: JobRow, runs: Sequence[RunRow], end: RunEnd) -> Decision:
    earlier = [run.last_step for run in runs[:-1] if run.last_step is not None]
    last = runs[-1].last_step
    has_progressed = last is not None and last > max(earlier, default=0)
    num_retries = 0 if has_progressed else job.num_retries
    if num_retries >= MOST_RETRIES:
        return Decision("fail", end.error.code if end.error else None, end.error)
    reason = end.reason or ("killed" if isinstance(end.error, OutOfMemory) else "worker_died")
    return Decision("interrupt", reason, None, num_retries + 1, RETRY_SECONDS[num_retries])


def less_memory(config: TrainConfig) -> dict[str, Any] | None:
    """Return the settings to go on with after memory ran out that leave the result's meaning as it is; None when none.

    First half the micro-batch and twice the accumulation: the effective batch stays. Then gradient checkpointing.
    """
    batch, accumulation = config.per_device_train_batch_size, config.gradient_accumulation_steps
    if batch > 1 and batch % 2 == 0 and accumulation * 2 <= MOST_MICRO_BATCHES:
        return {"per_device_train_batch_size": batch // 2, "gradient_accumulation_steps": accumulation * 2}
    if not config.gradient_checkpointing:
        return {"gradient_checkpointing": True}
    return None
