"""Comparisons: training jobs side by side. Nothing is kept: they are made of what the jobs have."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Reference
from llmlora.services.result_jobs import compare_jobs

router = APIRouter(prefix="/api/comparisons", tags=["comparisons"], route_class=IdempotentRoute)


class ComparisonRequest(BaseModel):
    """The training jobs to compare."""

    model_config = ConfigDict(extra="forbid")

    job_ids: Annotated[list[Reference], Field(min_length=2, max_length=4)]


class ComparedJob(BaseModel):
    """A job of a comparison."""

    id: str
    name: str
    base_model: str
    method: str
    data: str
    status: str
    is_evaluated: bool


class Difference(BaseModel):
    """A setting that differs, with its value in each job."""

    field: str
    values: list[Any]


class ComparedMetric(BaseModel):
    """A number of each job, null where it was not measured; `best` are positions, none where they say nothing."""

    name: str
    better: str
    values: list[float | None]
    best: list[int]


class Note(BaseModel):
    """What makes numbers incomparable or missing."""

    code: str
    params: dict[str, Any]


class Comparison(BaseModel):
    """Jobs side by side: the settings that differ, and what came of them."""

    jobs: list[ComparedJob]
    differences: list[Difference]
    metrics: list[ComparedMetric]
    notes: list[Note]


@router.post("")
def create_comparison(request: Request, wish: ComparisonRequest) -> Comparison:
    """Compare two to four training jobs."""
    return Comparison.model_validate(compare_jobs(request.app.state.platform.queue, wish.job_ids))


@router.get("")
def get_comparison(
    request: Request, job_ids: Annotated[list[Reference], Query(min_length=2, max_length=4)]
) -> Comparison:
    """Compare the two to four training jobs that the address names."""
    return Comparison.model_validate(compare_jobs(request.app.state.platform.queue, job_ids))
