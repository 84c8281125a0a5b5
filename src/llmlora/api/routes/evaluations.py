"""Evaluations: a finished training job compared with its base model, as work of the queue."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.evaluation_models import EvaluationReport
from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Cursor, Identifier, JobSummary, Limit, Name, Reference
from llmlora.services.result_jobs import EvaluationWish, evaluation_document, submit_evaluation

router = APIRouter(prefix="/api/evaluations", tags=["evaluations"], route_class=IdempotentRoute)

Term = Annotated[str, Field(min_length=1, max_length=100)]


class EvaluationRequest(BaseModel):
    """A finished training job; without a dataset the questions come from its training data.

    `ladder` asks the base with a system message and with examples of the training data, too. `check_quality` measures
    terms (names in the references, and those of `glossary`), consistency, safety and fluency.
    """

    model_config = ConfigDict(extra="forbid")

    job_id: Reference
    name: Name | None = None
    dataset_id: Reference | None = None
    max_questions: Annotated[int, Field(ge=1, le=1000)] = 20
    rewrite: bool = False
    check_forgetting: bool = True
    check_quality: bool = True
    glossary: Annotated[list[Term], Field(max_length=1000)] = []
    ladder: bool = False


class EvaluationSummary(JobSummary):
    """An evaluation; `job_id` is the training job that it is about."""

    job_id: str | None


class Evaluation(EvaluationSummary):
    """An evaluation with its report (schema llmlora.evaluation/1), null until it has ended."""

    report: EvaluationReport | None


class EvaluationList(BaseModel):
    """Evaluations, the newest first; `next_cursor` is the `before` of the next page."""

    items: list[EvaluationSummary]
    next_cursor: str | None


@router.post("", status_code=201)
def create_evaluation(request: Request, wish: EvaluationRequest) -> Evaluation:
    """Put the evaluation of a finished training job into the queue."""
    queue = request.app.state.platform.queue
    job = submit_evaluation(queue, EvaluationWish(**wish.model_dump()))
    return Evaluation.model_validate(evaluation_document(queue, job))


@router.get("")
def list_evaluations(
    request: Request, job_id: Cursor = None, before: Cursor = None, limit: Limit = 50
) -> EvaluationList:
    """List evaluations, all or those of one training job, the newest first."""
    queue = request.app.state.platform.queue
    page = queue.page(kinds=("evaluate",), parent_id=job_id, before=before, limit=limit)
    items = [evaluation_document(queue, job) for job in page.items]
    return EvaluationList.model_validate({"items": items, "next_cursor": page.next_cursor})


@router.get("/{evaluation_id}")
def get_evaluation(request: Request, evaluation_id: Identifier) -> Evaluation:
    """Return an evaluation with its report."""
    queue = request.app.state.platform.queue
    return Evaluation.model_validate(evaluation_document(queue, queue.get_of_kind(evaluation_id, "evaluate")))
