"""Lessons and their progress as JSON objects, worded in the current language: for the command line and the server."""

from __future__ import annotations

from collections import Counter
from typing import Any

from llmlora.core.locale import translate
from llmlora.services.queue import Queue
from llmlora.services.tutorial_steps import StepState, steps_of
from llmlora.services.tutorials import Lesson, lesson_text


def lesson_summary(queue: Queue, lesson: Lesson) -> dict[str, Any]:
    """Return what a list says of a lesson, and how far it is."""
    counts = Counter(state.state for state in steps_of(queue, lesson))
    return {
        "level": lesson.level,
        "name": lesson.name,
        "title": lesson_text(lesson).title,
        "minutes": lesson.minutes,
        "num_steps": counts.total(),
        "num_done": counts["done"],
        "num_differing": counts["differs"],
    }


def lesson_view(queue: Queue, lesson: Lesson) -> dict[str, Any]:
    """Return a lesson with its text in Markdown, step by step, and how far each step is."""
    text = lesson_text(lesson)
    steps = [
        {**state_document(state, lesson), "text": text.sections[state.step.id][1]} for state in steps_of(queue, lesson)
    ]
    return {**lesson_summary(queue, lesson), "intro": text.intro, "dataset": lesson.dataset, "steps": steps}


def state_document(state: StepState, lesson: Lesson) -> dict[str, Any]:
    """Return how far a step is: its state, what was found in words, and the page that is about it."""
    findings = [{"code": finding.code, "params": dict(finding.params)} for finding in state.findings]
    return {
        "id": state.step.id,
        "title": lesson_text(lesson).sections[state.step.id][0],
        "kind": state.step.kind,
        "state": state.state,
        "findings": findings,
        "texts": [translate(f"tutorial.found.{finding.code}", **finding.params) for finding in state.findings],
        "job_id": state.job_id,
        "dataset_id": state.dataset_id,
        "page": _page(state),
    }


def _page(state: StepState) -> str:
    """Return the page on which a step is done, or was done."""
    if state.dataset_id is not None:
        return f"/datasets/{state.dataset_id}"
    return state.step.page if state.job_id is None else f"/jobs/{state.job_id}"
