"""A lesson that runs itself: in which order its jobs are made, and which are asked; the work itself is made up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from llmlora.core.layout import scratch_dir
from llmlora.services import tutorial_trial
from llmlora.services.tutorial_steps import StepState
from llmlora.services.tutorials import find_lesson


@pytest.fixture
def done(home: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Let nothing be trained; returns what was asked for, with the names of the folders."""
    found: list[tuple[str, str]] = []

    def start_training(planned: Any, out: Path, on_event: Any) -> None:
        found.append(("trained", out.name))

    def combine(members: list[Path], out: Path, *, method: str, on_event: Any) -> None:
        found.append((f"{method} of {' '.join(member.name for member in members)}", out.name))

    def evaluate(folder: Path, **options: Any) -> None:
        assert not options["check_forgetting"] and not options["check_quality"], "only facts are judged"
        found.append(("asked", folder.name))

    monkeypatch.setattr(tutorial_trial, "plan_training", lambda request, on_event: request)
    monkeypatch.setattr(tutorial_trial, "start_training", start_training)
    monkeypatch.setattr(tutorial_trial, "combine", combine)
    monkeypatch.setattr(tutorial_trial, "evaluate", evaluate)
    monkeypatch.setattr(tutorial_trial, "job_step", lambda lesson, step, job: StepState(step, "done"))
    return found


def test_every_job_is_made_in_its_turn_and_asked_where_facts_are_judged(done: list[tuple[str, str]]) -> None:
    lesson = find_lesson(3)
    told: list[str] = []
    found = tutorial_trial.try_lesson(lesson, on_job=lambda job: told.append(job.key))
    assert told == list(lesson.jobs)
    assert [name for deed, name in done if deed == "trained"] == [
        key for key, job in lesson.jobs.items() if job.method is None
    ]
    assert ("svd of member1 member2 member3", "combined") in done
    assert [name for deed, name in done if deed == "asked"] == ["main", "optimized", "combined"]
    assert [state.step.id for state in found["steps"]] == [
        step.id for step in lesson.steps if step.kind in ("job", "loss", "facts")
    ]


def test_nothing_of_a_trial_stays(done: list[tuple[str, str]]) -> None:
    tutorial_trial.try_lesson(find_lesson(2))
    assert list(scratch_dir().iterdir()) == []
