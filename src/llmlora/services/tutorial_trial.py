"""A lesson that runs itself: its jobs are trained and evaluated in a temporary folder and held against the measured."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmlora.core.assets import BASE_MODEL
from llmlora.core.layout import new_id, scratch_dir
from llmlora.core.writable import require_workspace
from llmlora.services.chat import chat
from llmlora.services.combine import combine
from llmlora.services.evaluate import evaluate
from llmlora.services.follow import OnEvent
from llmlora.services.plan_training import plan_training
from llmlora.services.train import start_training
from llmlora.services.train_request import TrainRequest
from llmlora.services.tutorial_steps import DoneJob, Finding, StepState, job_step
from llmlora.services.tutorials import Lesson, LessonJob, Step

OnJob = Callable[[LessonJob], None]


def try_lesson(lesson: Lesson, on_event: OnEvent | None = None, on_job: OnJob | None = None) -> dict[str, Any]:
    """Do everything that a lesson promises on the bundled model and judge each step; `seconds` is how long it took.

    Nothing of it stays. Raises what training and evaluation raise.
    """
    require_workspace(scratch_dir())
    folder = scratch_dir() / new_id()
    folder.mkdir(parents=True)
    started = time.monotonic()
    try:
        steps = list(_tried_steps(lesson, folder, on_event, on_job))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {"steps": steps, "seconds": round(time.monotonic() - started, 1)}


def _tried_steps(lesson: Lesson, folder: Path, on_event: OnEvent | None, on_job: OnJob | None) -> list[StepState]:
    jobs = {}
    for key, planned in lesson.jobs.items():
        if on_job is not None:
            on_job(planned)
        jobs[key] = _made(lesson, planned, folder / key, on_event)
    states = []
    for step in lesson.steps:
        if step.kind in ("job", "loss", "facts"):
            states.append(job_step(lesson, step, jobs[step.job or ""]))
        elif step.kind == "chat":
            states.append(_asked(step, jobs[step.job or ""].folder))
    return states


def _made(lesson: Lesson, planned: LessonJob, out: Path, on_event: OnEvent | None) -> DoneJob:
    """Train a job, or combine those that were made before it; evaluate it where a step asks for facts."""
    if planned.method is not None:
        combine([out.with_name(key) for key in planned.members], out, method=planned.method, on_event=on_event)
    else:
        request = TrainRequest(
            BASE_MODEL,
            lesson.data_path,
            preset=planned.preset,
            training_preset=planned.training_preset,
            settings=planned.settings,
            out=out,
        )
        start_training(plan_training(request, on_event=on_event), out, on_event)
    if any(step.kind == "facts" and step.job == planned.key for step in lesson.steps):
        evaluate(out, on_event=on_event, check_forgetting=False, check_quality=False)
    return DoneJob(out, "succeeded")


def _asked(step: Step, folder: Path) -> StepState:
    """Ask the trained model the question of a step and look for its answer."""
    reply = chat(str(folder), str(step.question), temperature=0.0)
    is_right = str(step.answer) in str(reply["text"])
    found = Finding("answered" if is_right else "answered_otherwise", {"text": reply["text"], "answer": step.answer})
    return replace(StepState(step, "done"), state="done" if is_right else "differs", findings=(found,))
