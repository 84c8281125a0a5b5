"""The course: lessons that come with llmlora, with their steps, their texts, and what was measured of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from llmlora.core.assets import asset_path
from llmlora.core.errors import NotFound
from llmlora.core.locale import catalogue, current_language
from llmlora.core.publish import read_json, sha256_file

NAMES: Final = ("level1_basic_tutorial", "level2_practical_tutorial", "level3_advanced_tutorial")
SECTION: Final = re.compile(r"^## (?P<title>.+?) \{#(?P<id>[a-z0-9_]+)\}$", re.M)
VALUE: Final = re.compile(r"\{\{([\w.]+)\}\}")
WRAPPED: Final = re.compile(r"(?<=[^\x00-\x7f])\n(?:> )?(?=[^\x00-\x7f])")  # a line break within Japanese is no space
RANGES: Final = {"ja": "{}〜{}", "en": "{}–{}"}
StepKind = Literal["read", "dataset", "job", "loss", "facts", "chat"]


@dataclass(frozen=True)
class LessonJob:
    """A training job of a lesson: what is chosen for it, and what was measured of it on the bundled model."""

    key: str
    names: Mapping[str, str]  # by language
    preset: str | None
    training_preset: str | None
    settings: Mapping[str, Any]
    measured: Mapping[str, Any]
    members: tuple[str, ...] = ()  # the jobs whose adapters it combines, where it is not trained
    method: str | None = None  # of combining


@dataclass(frozen=True)
class Step:
    """A step of a lesson: `read` has nothing to check, the others are checked against the workspace."""

    id: str
    kind: StepKind
    page: str
    job: str | None = None
    question: str | None = None
    answer: str | None = None


@dataclass(frozen=True)
class Lesson:
    """One level: its data, jobs and steps."""

    name: str
    level: int
    minutes: int
    dataset: str
    jobs: Mapping[str, LessonJob]
    steps: tuple[Step, ...]
    measured: Mapping[str, Any] = field(repr=False)

    @property
    def data_path(self) -> Path:
        """The bundled data file."""
        return asset_path("datasets", self.dataset)

    @property
    def data_sha256(self) -> str:
        """The SHA-256 of the data file, by which datasets and jobs of the lesson are known."""
        return sha256_file(self.data_path)


@dataclass(frozen=True)
class LessonText:
    """A lesson in one language as Markdown, with every measured number filled in; `sections` are by the steps' ids."""

    title: str
    intro: str
    sections: Mapping[str, tuple[str, str]]  # id -> title, text


@cache
def lessons() -> tuple[Lesson, ...]:
    """Return all lessons, the first level first."""
    return tuple(_lesson(name) for name in NAMES)


def find_lesson(level: int) -> Lesson:
    """Return the lesson of a level; raise NotFound: `tutorial_not_found`."""
    found = next((lesson for lesson in lessons() if lesson.level == level), None)
    if found is None:
        raise NotFound("tutorial_not_found", level=level, known=", ".join(str(lesson.level) for lesson in lessons()))
    return found


def find_step(lesson: Lesson, step_id: str) -> Step:
    """Return a step of a lesson; raise NotFound: `tutorial_step_not_found`."""
    found = next((step for step in lesson.steps if step.id == step_id), None)
    if found is None:
        known = ", ".join(step.id for step in lesson.steps)
        raise NotFound("tutorial_step_not_found", step=step_id, level=lesson.level, known=known)
    return found


def lesson_document(lesson: Lesson, language: str | None = None) -> str:
    """Return the whole lesson in a language as Markdown, its numbers filled in, without the marks of its steps."""
    return SECTION.sub(lambda match: f"## {match['title']}", _filled(lesson, language or current_language()))


def lesson_text(lesson: Lesson) -> LessonText:
    """Return a lesson in the current language, step by step."""
    head, *parts = SECTION.split(WRAPPED.sub("", _filled(lesson, current_language())))
    title, _, intro = head.strip().partition("\n")
    sections = {
        identifier: (name, text.strip())
        for name, identifier, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }
    return LessonText(title.removeprefix("# "), intro.strip(), sections)


def _filled(lesson: Lesson, language: str) -> str:
    text = asset_path("tutorials", f"{lesson.name}.{language}.md").read_text(encoding="utf-8")
    return VALUE.sub(lambda match: _value(lesson, match[1], language), text)


def _value(lesson: Lesson, place: str, language: str) -> str:
    """Return a measured value as words; two numbers are a range. Raises KeyError for one that was not measured.

    `level1` and `level2` are the evaluated jobs of those levels, with which later ones compare theirs.
    """
    compared = {f"level{other.level}": other.measured["jobs"]["main"] for other in lessons()[:-1]}
    found: Any = {"minutes": lesson.minutes, **compared, **lesson.measured["jobs"], **lesson.measured["studies"]}
    for name in place.split("."):
        found = found[name]
    if place.endswith(".light"):  # of a forgetting check, in the page's words
        return catalogue(language)[f"web.evaluation.light.{found}"]
    if not isinstance(found, list):
        return str(found)
    low, high = found
    return f"{low:g}" if low == high else RANGES[language].format(f"{low:g}", f"{high:g}")


def _lesson(name: str) -> Lesson:
    written = read_json(asset_path("tutorials", f"{name}.json"))
    measured = read_json(asset_path("tutorials", f"{name}.measured.json"))
    jobs = {
        key: LessonJob(
            key,
            job["name"],
            job.get("preset"),
            job.get("training_preset"),
            job["settings"],
            measured["jobs"].get(key, {}),
            tuple(job.get("members", ())),
            job.get("method"),
        )
        for key, job in written["jobs"].items()
    }
    steps = tuple(Step(**step) for step in written["steps"])
    return Lesson(name, written["level"], written["minutes"], written["dataset"], jobs, steps, measured)
