"""Training jobs: checked, put into the queue, listed and followed."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Cursor, Identifier, Job, JobBatch, JobList, JobSummary, Limit, Progress, Reference
from llmlora.api.problems import invalid_request
from llmlora.api.training_models import (
    BatchRequest,
    CurvesList,
    Plan,
    PlanRequest,
    RecipeText,
    RecipeWish,
    TrainingRequest,
    VaryRequest,
)
from llmlora.services.form_recipe import wish_of_recipe, written_recipe
from llmlora.services.job_curves import curves_of_jobs
from llmlora.services.job_page import job_detail, job_document, progress_words
from llmlora.services.training_batch import submit_batch, varied
from llmlora.services.training_jobs import submit_training
from llmlora.services.training_plan import training_plan

router = APIRouter(prefix="/api/training", tags=["training"], route_class=IdempotentRoute)
YAML: dict[int | str, dict[str, Any]] = {200: {"content": {"application/yaml": {}}}}


@router.post("/jobs", status_code=201)
def create_training_job(request: Request, wish: TrainingRequest) -> Job:
    """Check a training job, settle its settings, and put it into the queue."""
    queue = request.app.state.platform.queue
    return Job.model_validate(job_detail(queue, submit_training(queue, wish.asked())))


@router.post("/jobs/batch", status_code=201)
def create_training_batch(request: Request, wishes: BatchRequest | VaryRequest) -> JobBatch:
    """Check several training jobs, listed or one of them varied, and queue all of them or none."""
    queue = request.app.state.platform.queue
    jobs = submit_batch(queue, [wish.asked() for wish in _listed(wishes)])
    return JobBatch.model_validate({"items": [job_detail(queue, job) for job in jobs]})


@router.post("/plan")
def plan_training(request: Request, wish: PlanRequest) -> Plan:
    """Tell what a training job would do and need, all that is wrong with it, and what would fit; no job is made."""
    queue = request.app.state.platform.queue
    return Plan.model_validate(training_plan(queue, wish.asked(), bool(wish.probe)))


@router.post("/recipes/read")
def read_recipe(request: Request, recipe: RecipeText) -> RecipeWish:
    """Return what a recipe file asks for, with model and datasets of this workspace; nothing is started."""
    queue = request.app.state.platform.queue
    return RecipeWish.model_validate(wish_of_recipe(queue, recipe.text, recipe.file_name))


@router.post("/recipes/write", response_class=Response, responses=YAML)
def write_recipe(request: Request, wish: PlanRequest) -> Response:
    """Return the recipe of a training job that is not started, as YAML."""
    recipe = written_recipe(request.app.state.platform.queue, wish.asked())
    return Response(recipe, media_type="application/yaml")


@router.get("/jobs")
def list_training_jobs(request: Request, before: Cursor = None, limit: Limit = 50) -> JobList:
    """List the training jobs, the newest first."""
    queue = request.app.state.platform.queue
    page = queue.page(kinds=("train",), before=before, limit=limit)
    items = [job_document(queue, job) for job in page.items]
    return JobList.model_validate({"items": items, "next_cursor": page.next_cursor})


@router.get("/curves")
def list_training_curves(
    request: Request,
    job_ids: Annotated[list[Reference], Query(min_length=1, max_length=50)],
    names: Annotated[list[str], Query(max_length=20)] = [],  # noqa: B006 - FastAPI copies it
    points: Annotated[int, Query(ge=1, le=500)] = 50,
) -> CurvesList:
    """Return the curves of several jobs in at most `points` points each, to draw them small."""
    queue = request.app.state.platform.queue
    return CurvesList.model_validate({"items": curves_of_jobs(queue, job_ids, names, points)})


@router.get("/jobs/{job_id}")
def get_training_job(request: Request, job_id: Identifier) -> Job:
    """Return a job with its settings and its result."""
    queue = request.app.state.platform.queue
    return Job.model_validate(job_detail(queue, queue.get(job_id)))


@router.get("/jobs/{job_id}/progress")
def job_progress(request: Request, job_id: Identifier) -> Progress:
    """Return how far a job is."""
    queue = request.app.state.platform.queue
    return Progress.model_validate(progress_words(queue, queue.get(job_id)))


@router.post("/jobs/{job_id}/cancel")
def cancel_training_job(request: Request, job_id: Identifier) -> JobSummary:
    """End a job for good, keeping what it has saved; a worker ends its step first."""
    queue = request.app.state.platform.queue
    return JobSummary.model_validate(job_document(queue, queue.cancel(job_id)))


def _listed(wishes: BatchRequest | VaryRequest) -> list[TrainingRequest]:
    """Return the jobs of a batch; those of a varied one are checked here as if they had been listed."""
    if isinstance(wishes, BatchRequest):
        return wishes.jobs
    try:
        return [TrainingRequest.model_validate(job) for job in varied(wishes.base, wishes.vary)]
    except ValidationError as error:
        raise invalid_request([{**item, "loc": ("body", "base", *item["loc"])} for item in error.errors()]) from None
