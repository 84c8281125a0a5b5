"""Measure what a training run takes: a few real steps of it, in a folder of its own that goes again.

The steps are those of an ordinary training worker, from loading to the published result, so everything that a run
spends its time on is timed once: start, evaluation, saving. Only the steps are multiplied.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

from llmlora.core.config import TrainConfig
from llmlora.core.errors import Conflict, ResourceError, Stopped
from llmlora.core.layout import new_id, scratch_dir
from llmlora.core.writable import require_workspace
from llmlora.services.follow import Event
from llmlora.services.job_folder import write_training
from llmlora.services.launch import Worker
from llmlora.services.outcome import outcome
from llmlora.services.plan_training import PlannedJob

NUM_STEPS: Final = 4  # the first one allocates, and is not counted
LIMIT_SECONDS: Final = 300.0
TIMED: Final = ("step", "evaluation", "checkpoint")
# What a run of minutes may differ by from what was measured in seconds
FASTER: Final = 0.8
SLOWER: Final = 1.25
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class Measured:
    """What some steps took; `around_seconds` is everything but steps, evaluations and checkpoints."""

    around_seconds: float
    seconds_per_token: float
    evaluation_seconds: float
    checkpoint_seconds: float
    memory_bytes: int

    def seconds(self, config: TrainConfig, num_steps: int, steps_per_epoch: int, num_tokens: float) -> float:
        """Return the seconds of a whole run over `num_tokens` tokens in all."""
        num_evaluations = 1 + num_steps // (config.eval_steps or steps_per_epoch)
        num_saves = max(1, num_steps // steps_per_epoch + (num_steps // config.save_steps if config.save_steps else 0))
        repeated = num_evaluations * self.evaluation_seconds + num_saves * self.checkpoint_seconds
        return self.around_seconds + num_tokens * self.seconds_per_token + repeated


def measure_steps(planned: PlannedJob) -> Measured:
    """Take a few steps of a planned job and return what they took.

    Raises:
        Conflict: `probe_running`, one at a time. ResourceError: `probe_too_slow`, or what the run itself meets.
    """
    if not _one_at_a_time.acquire(blocking=False):
        raise Conflict("probe_running")
    require_workspace(scratch_dir())
    folder = scratch_dir() / new_id()
    try:
        write_training(_shortened(planned), folder)
        began = time.monotonic()
        worker = Worker("train", folder)
        limit = threading.Timer(LIMIT_SECONDS, worker.stop)
        limit.start()
        try:
            events = list(worker.events)
            worker.process.wait()
        finally:
            limit.cancel()
        ended = outcome(folder, worker.run, worker.process.returncode, worker.was_stopped)
        if isinstance(ended.error, Stopped):
            raise ResourceError("probe_too_slow", seconds=round(LIMIT_SECONDS))
        if ended.error is not None:
            raise ended.error
        return measured(events, time.monotonic() - began, ended.result or {})
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        _one_at_a_time.release()


def _shortened(planned: PlannedJob) -> PlannedJob:
    """Return the same job with few steps; what is asked for at intervals is asked for once."""
    once = {"logging_steps": 1, "save_steps": None, "eval_steps": None, "report_to": (), "warmup_steps": 0}
    whole = {"early_stopping_patience": None, "early_stopping_min_delta": 0.0, "load_best_model_at_end": False}
    plain = {"stages": (), "lr_scheduler_type": "linear"} if planned.job.train.stages else {}
    train = planned.job.train.model_copy(update={"max_steps": NUM_STEPS, **once, **whole, **plain})
    return replace(planned, job=planned.job.model_copy(update={"id": new_id(), "train": train}))


def measured(events: Iterable[Event], wall_seconds: float, result: Mapping[str, Any]) -> Measured:
    """Return what the events of a short run say, the first of its steps left out."""
    spans = list(_spans(list(events)))
    steps = [(event["metrics"]["num_tokens"], seconds) for event, seconds in spans if event["type"] == "step"]
    tokens = steps[-1][0] - steps[0][0]
    return Measured(
        around_seconds=max(0.0, wall_seconds - sum(seconds for _, seconds in spans)),
        seconds_per_token=sum(seconds for _, seconds in steps[1:]) / max(1, tokens),
        evaluation_seconds=_longest(spans, "evaluation"),
        checkpoint_seconds=_longest(spans, "checkpoint"),
        memory_bytes=int(result.get("peak_gpu_memory_bytes") or result["peak_memory_bytes"]),
    )


def _spans(events: Sequence[Event]) -> Iterable[tuple[Event, float]]:
    """Yield each timed event with the seconds since the event before it."""
    for before, event in pairwise(events):
        if event["type"] in TIMED:
            yield event, event["mono"] - before["mono"]


def _longest(spans: Iterable[tuple[Event, float]], kind: str) -> float:
    return max((seconds for event, seconds in spans if event["type"] == kind), default=0.0)
