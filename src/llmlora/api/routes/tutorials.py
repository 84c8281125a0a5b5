"""The course: lessons with their steps, and how far the workspace is in each."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict
from starlette.responses import FileResponse

from llmlora.api.strict_route import StrictRoute
from llmlora.services.tutorial_documents import lesson_summary, lesson_view
from llmlora.services.tutorial_steps import mark_read
from llmlora.services.tutorials import find_lesson, find_step, lessons

router = APIRouter(prefix="/api/tutorials", tags=["tutorials"], route_class=StrictRoute)
Level = Annotated[int, Path(ge=1, le=9)]
StepId = Annotated[str, Path(min_length=1, max_length=40, pattern=r"^[a-z0-9_]+$")]


class Tutorial(BaseModel):
    """A lesson in a list: its planned minutes, and how many of its steps are done or differ from the lesson."""

    level: int
    name: str
    title: str
    minutes: int
    num_steps: int
    num_done: int
    num_differing: int


class TutorialList(BaseModel):
    """All lessons, the first level first."""

    items: list[Tutorial]
    next_cursor: str | None


class TutorialFinding(BaseModel):
    """What was found of a step, for programs."""

    code: str
    params: dict[str, Any]


class TutorialStep(BaseModel):
    """A step: its text in Markdown, whether it is done in this workspace, and the page on which it is done."""

    id: str
    title: str
    kind: Literal["read", "dataset", "job", "loss", "facts", "chat"]
    state: Literal["done", "open", "running", "differs"]
    text: str
    findings: list[TutorialFinding]
    texts: list[str]
    job_id: str | None
    dataset_id: str | None
    page: str


class TutorialDetail(Tutorial):
    """A lesson with its text."""

    intro: str
    dataset: str
    steps: list[TutorialStep]


class StepMark(BaseModel):
    """Whether a step that is only read is done."""

    model_config = ConfigDict(extra="forbid")

    is_done: bool


@router.get("")
def list_tutorials(request: Request) -> TutorialList:
    """List the lessons of the course and how far each is."""
    queue = request.app.state.platform.queue
    items = [Tutorial.model_validate(lesson_summary(queue, lesson)) for lesson in lessons()]
    return TutorialList(items=items, next_cursor=None)


@router.get("/{level}")
def get_tutorial(request: Request, level: Level) -> TutorialDetail:
    """Return a lesson with its text in Markdown and each step checked against this workspace."""
    return TutorialDetail.model_validate(lesson_view(request.app.state.platform.queue, find_lesson(level)))


@router.get(
    "/{level}/data", response_class=FileResponse, responses={200: {"content": {"application/octet-stream": {}}}}
)
def get_tutorial_data(level: Level) -> FileResponse:
    """Return the data file of a lesson."""
    lesson = find_lesson(level)
    return FileResponse(lesson.data_path, filename=lesson.dataset, media_type="application/octet-stream")


@router.put("/{level}/steps/{step_id}")
def mark_tutorial_step(request: Request, level: Level, step_id: StepId, mark: StepMark) -> TutorialDetail:
    """Mark a step that is only read as done or not."""
    lesson, queue = find_lesson(level), request.app.state.platform.queue
    mark_read(queue.database.home, lesson, find_step(lesson, step_id), mark.is_done)
    return TutorialDetail.model_validate(lesson_view(queue, lesson))
