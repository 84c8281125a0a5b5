"""Jobs: training put into the queue, how far it is, and changes of mind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.services.queue import Queue
from llmlora.services.training_jobs import TrainingWish, job_document, progress_words, submit_training
from llmlora.store.jobs import JobRow

router = APIRouter(prefix="/api", tags=["jobs"], route_class=IdempotentRoute)
PRINTABLE = r"^[^\x00-\x1f\x7f]+$"
Identifier = Annotated[str, Path(min_length=1, max_length=64, pattern=PRINTABLE)]
Cursor = Annotated[str | None, Query(max_length=64, pattern=PRINTABLE)]
Limit = Annotated[int, Query(ge=1, le=200)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=PRINTABLE)]
Reference = Annotated[str, Field(min_length=1, max_length=300, pattern=PRINTABLE)]


class TrainingRequest(BaseModel):
    """A training job: model by name, datasets by id; settings are those of /api/presets and of the command line."""

    model_config = ConfigDict(extra="forbid")

    base_model: Reference
    dataset_id: Reference
    name: Name | None = None
    eval_dataset_id: Reference | None = None
    preset: Reference | None = None
    training_preset: Reference | None = None
    settings: dict[str, Any] = Field(default_factory=dict)


class JobError(BaseModel):
    """Why a job failed: the code for programs, the rest in the caller's language."""

    code: str | None
    params: dict[str, Any]
    detail: str
    hint: str


class JobSummary(BaseModel):
    """A job: `reason` says why it waits, is paused or failed, `stop_request` what its worker was asked for."""

    id: str
    kind: str
    name: str
    status: str
    reason: str | None
    stop_request: str | None
    position: float
    run: int
    parent_id: str | None
    created_at: str
    started_at: str | None
    ended_at: str | None
    base_model: str | None
    dataset_id: str | None
    eval_dataset_id: str | None
    error: JobError | None


class Job(JobSummary):
    """A job with its settled settings, where each of them came from, and its result."""

    settings: dict[str, Any]
    reasons: dict[str, str]
    result: dict[str, Any] | None


class JobList(BaseModel):
    """Jobs, the newest first; `next_cursor` is the `before` of the next page."""

    items: list[JobSummary]
    next_cursor: str | None


class Progress(BaseModel):
    """How far a job is; null is not known. `message` says what it does, in the caller's language."""

    status: str
    step: int | None
    total_steps: int | None
    epoch: float | None
    num_epochs: float | None
    percent: float | None
    loss: float | None
    eval_loss: float | None
    learning_rate: float | None
    tokens_per_second: float | None
    eta_seconds: float | None
    message: str | None


class Rename(BaseModel):
    """Another name."""

    model_config = ConfigDict(extra="forbid")

    name: Name


class Reorder(BaseModel):
    """In front of which waiting job; null is behind all."""

    model_config = ConfigDict(extra="forbid")

    before: Reference | None


class Clone(BaseModel):
    """The name of the copy; null is the same name."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None


@router.post("/training/jobs", status_code=201)
def create_training_job(request: Request, wish: TrainingRequest) -> Job:
    """Check a training job, settle its settings, and put it into the queue."""
    queue = request.app.state.platform.queue
    return Job.model_validate(job_document(queue, submit_training(queue, TrainingWish(**wish.model_dump()))))


@router.get("/training/jobs")
def list_training_jobs(request: Request, before: Cursor = None, limit: Limit = 50) -> JobList:
    """List the training jobs, the newest first."""
    queue = request.app.state.platform.queue
    page = queue.page(kinds=("train",), before=before, limit=limit)
    items = [job_document(queue, job) for job in page.items]
    return JobList.model_validate({"items": items, "next_cursor": page.next_cursor})


@router.get("/training/jobs/{job_id}")
def get_training_job(request: Request, job_id: Identifier) -> Job:
    """Return a job with its settings and its result."""
    queue = request.app.state.platform.queue
    return Job.model_validate(job_document(queue, queue.get(job_id)))


@router.get("/training/jobs/{job_id}/progress")
def job_progress(request: Request, job_id: Identifier) -> Progress:
    """Return how far a job is."""
    return Progress.model_validate(progress_words(request.app.state.platform.queue, job_id))


@router.post("/training/jobs/{job_id}/cancel")
def cancel_training_job(request: Request, job_id: Identifier) -> JobSummary:
    """End a job for good, keeping what it has saved; a worker ends its step first."""
    return _changed(request, lambda queue: queue.cancel(job_id))


@router.post("/jobs/{job_id}/pause")
def pause_job(request: Request, job_id: Identifier) -> JobSummary:
    """Keep a job from starting, or let it save and stop."""
    return _changed(request, lambda queue: queue.pause(job_id))


@router.post("/jobs/{job_id}/resume")
def resume_job(request: Request, job_id: Identifier) -> JobSummary:
    """Let a paused job go on from its newest checkpoint."""
    return _changed(request, lambda queue: queue.resume(job_id))


@router.post("/jobs/{job_id}/cancel")
def cancel_job(request: Request, job_id: Identifier) -> JobSummary:
    """End a job of any kind for good, keeping what it has saved."""
    return _changed(request, lambda queue: queue.cancel(job_id))


@router.post("/jobs/{job_id}/retry")
def retry_job(request: Request, job_id: Identifier) -> JobSummary:
    """Let a failed or canceled job go on from its newest checkpoint."""
    return _changed(request, lambda queue: queue.retry(job_id))


@router.post("/jobs/{job_id}/clone", status_code=201)
def clone_job(request: Request, job_id: Identifier, wish: Clone) -> Job:
    """Put the same work into the queue once more."""
    queue = request.app.state.platform.queue
    return Job.model_validate(job_document(queue, queue.clone(job_id, name=wish.name)))


@router.post("/jobs/{job_id}/rename")
def rename_job(request: Request, job_id: Identifier, wish: Rename) -> JobSummary:
    """Give a job another name."""
    return _changed(request, lambda queue: queue.rename(job_id, wish.name))


@router.post("/jobs/{job_id}/reorder")
def reorder_job(request: Request, job_id: Identifier, wish: Reorder) -> JobSummary:
    """Move a waiting job in front of another one, or behind all."""
    return _changed(request, lambda queue: queue.reorder(job_id, before=wish.before))


@router.post("/jobs/{job_id}/delete")
def delete_job(request: Request, job_id: Identifier) -> JobSummary:
    """Delete a job that nobody works on; it can be had back for ten seconds."""
    return _changed(request, lambda queue: queue.delete(job_id))


@router.post("/jobs/{job_id}/undo-delete")
def undo_delete_job(request: Request, job_id: Identifier) -> JobSummary:
    """Have a job back that was deleted a moment ago."""
    return _changed(request, lambda queue: queue.undo_delete(job_id))


def _changed(request: Request, change: Callable[[Queue], JobRow]) -> JobSummary:
    queue = request.app.state.platform.queue
    return JobSummary.model_validate(job_document(queue, change(queue)))
