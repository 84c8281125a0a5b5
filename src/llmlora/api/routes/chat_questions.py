"""The workspace's own questions, gathered while chatting, for evaluations."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.core.layout import questions_file
from llmlora.services.kept_questions import add_question as add
from llmlora.services.kept_questions import kept_questions

router = APIRouter(prefix="/api/chat", tags=["chat"], route_class=IdempotentRoute)
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100_000)]


class Question(BaseModel):
    """A question with its right answer, and the same question in other words."""

    model_config = ConfigDict(extra="forbid")

    prompt: Words
    reference: Words
    paraphrases: Annotated[list[Words], Field(max_length=20)] = Field(default_factory=list)


class KeptQuestion(BaseModel):
    """A question of the file."""

    model_config = ConfigDict(extra="ignore")

    prompt: str | None = None
    reference: str | None = None
    paraphrases: list[str] = Field(default_factory=list)


class QuestionList(BaseModel):
    """The questions, and the file that they stand in: `llmlora evaluate --questions` takes it."""

    path: str
    items: list[KeptQuestion]
    next_cursor: str | None


class QuestionCount(BaseModel):
    """How many questions there are, and the file that they stand in."""

    path: str
    num_questions: int


@router.get("/questions")
def list_questions(request: Request) -> QuestionList:
    """List the questions that were gathered."""
    home = request.app.state.platform.database.home
    items = [KeptQuestion.model_validate(question) for question in kept_questions(home)]
    return QuestionList(path=str(questions_file(home)), items=items, next_cursor=None)


@router.post("/questions", status_code=201)
def add_question(request: Request, question: Question) -> QuestionCount:
    """Add a question with its right answer to those that evaluations can ask; the same one again changes nothing."""
    home = request.app.state.platform.database.home
    number = add(home, question.prompt, question.reference, question.paraphrases)
    return QuestionCount(path=str(questions_file(home)), num_questions=number)
