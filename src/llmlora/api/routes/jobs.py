"""Jobs of every kind: all of the queue's work in one list, and changes of mind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Clone, Cursor, Identifier, Job, JobList, JobSummary, Limit, Rename, Reorder
from llmlora.services import obstacle
from llmlora.services.job_page import job_detail, job_document
from llmlora.services.job_recipe import clone_with_changes
from llmlora.services.queue import Queue
from llmlora.store.jobs import JobRow, Kind
from llmlora.store.statuses import Status

router = APIRouter(prefix="/api/jobs", tags=["jobs"], route_class=IdempotentRoute)
Kinds = Annotated[list[Kind], Query(max_length=20)]
Statuses = Annotated[list[Status], Query(max_length=20)]


@router.get("")
def list_jobs(
    request: Request,
    kind: Kinds = [],  # noqa: B006 - FastAPI copies it
    status: Statuses = [],  # noqa: B006
    parent_id: Cursor = None,
    before: Cursor = None,
    limit: Limit = 50,
) -> JobList:
    """List the work of every kind, the newest first; kinds, statuses and whose result is used can be named."""
    queue = request.app.state.platform.queue
    page = queue.page(kinds=kind, statuses=status, parent_id=parent_id, before=before, limit=limit)
    items = [job_document(queue, job) for job in page.items]
    return JobList.model_validate({"items": items, "next_cursor": page.next_cursor})


@router.get("/{job_id}")
def get_job(request: Request, job_id: Identifier) -> Job:
    """Return a job of any kind with all that its page shows."""
    queue = request.app.state.platform.queue
    return Job.model_validate(job_detail(queue, queue.get(job_id)))


@router.post("/{job_id}/pause")
def pause_job(request: Request, job_id: Identifier) -> JobSummary:
    """Keep a job from starting, or let it save and stop."""
    return _changed(request, lambda queue: queue.pause(job_id))


@router.post("/{job_id}/resume")
def resume_job(request: Request, job_id: Identifier) -> JobSummary:
    """Let a paused job go on from its newest checkpoint."""
    return _changed(request, lambda queue: obstacle.resume_job(queue, job_id))


@router.post("/{job_id}/cancel")
def cancel_job(request: Request, job_id: Identifier) -> JobSummary:
    """End a job of any kind for good, keeping what it has saved."""
    return _changed(request, lambda queue: queue.cancel(job_id))


@router.post("/{job_id}/retry")
def retry_job(request: Request, job_id: Identifier) -> JobSummary:
    """Let a failed or canceled job go on from its newest checkpoint."""
    return _changed(request, lambda queue: obstacle.retry_job(queue, job_id))


@router.post("/{job_id}/clone", status_code=201)
def clone_job(request: Request, job_id: Identifier, wish: Clone) -> Job:
    """Put the same work into the queue once more; training also with other settings."""
    queue = request.app.state.platform.queue
    if wish.settings:
        copy = clone_with_changes(queue, job_id, wish.name, wish.settings)
    else:
        copy = queue.clone(job_id, name=wish.name)
    return Job.model_validate(job_detail(queue, copy))


@router.post("/{job_id}/rename")
def rename_job(request: Request, job_id: Identifier, wish: Rename) -> JobSummary:
    """Give a job another name."""
    return _changed(request, lambda queue: queue.rename(job_id, wish.name))


@router.post("/{job_id}/reorder")
def reorder_job(request: Request, job_id: Identifier, wish: Reorder) -> JobSummary:
    """Move a waiting job in front of another one, or behind all."""
    return _changed(request, lambda queue: queue.reorder(job_id, before=wish.before))


@router.post("/{job_id}/delete")
def delete_job(request: Request, job_id: Identifier) -> JobSummary:
    """Delete a job that nobody works on; it can be had back for ten seconds."""
    return _changed(request, lambda queue: queue.delete(job_id))


@router.post("/{job_id}/undo-delete")
def undo_delete_job(request: Request, job_id: Identifier) -> JobSummary:
    """Have a job back that was deleted a moment ago."""
    return _changed(request, lambda queue: queue.undo_delete(job_id))


def _changed(request: Request, change: Callable[[Queue], JobRow]) -> JobSummary:
    queue = request.app.state.platform.queue
    return JobSummary.model_validate(job_document(queue, change(queue)))
