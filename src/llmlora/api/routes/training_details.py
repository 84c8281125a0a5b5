"""What a training job has measured, written and made: its curves, log, events, files, recipe and diagnosis."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, Response
from pydantic import ValidationError

from llmlora.api.job_models import BYTES, MOST_NUMBER, Identifier, Step, Whole
from llmlora.api.json_response import JsonResponse
from llmlora.api.opened_file import OpenedFile
from llmlora.api.strict_route import StrictRoute
from llmlora.api.training_models import (
    CheckpointList,
    Curves,
    EpochList,
    Event,
    EventList,
    FileList,
    FindingList,
    Log,
    Reports,
)
from llmlora.services.job_curves import curves_of, epochs_of
from llmlora.services.job_files import list_checkpoints, list_files, open_file, read_log
from llmlora.services.job_findings import diagnosis
from llmlora.services.job_page import evaluation_report, stored_report
from llmlora.services.job_recipe import recipe_of, recipe_yaml

router = APIRouter(prefix="/api/training/jobs/{job_id}", tags=["training"], route_class=StrictRoute)
Metrics = Annotated[list[str], Query(max_length=20)]
SAMPLES = ("sample",)
TEXT: dict[int | str, dict[str, Any]] = {200: {"content": {"application/yaml": {}, "application/json": {}}}}


@router.get("/metrics")
def job_metrics(
    request: Request,
    job_id: Identifier,
    names: Metrics = [],  # noqa: B006 - FastAPI copies it
    points: Annotated[int, Query(ge=1, le=5000)] = 500,
    first: Annotated[Step, Query(alias="from")] = 1,
    last: Annotated[Step, Query(alias="to")] = MOST_NUMBER,
) -> Curves:
    """Return curves of at most `points` points each, of steps `from` to `to`: exact where they fit, no spike lost."""
    queue = request.app.state.platform.queue
    return Curves.model_validate(curves_of(queue, job_id, names, points, first, last))


@router.get("/epochs")
def job_epochs(request: Request, job_id: Identifier) -> EpochList:
    """Return the losses of each epoch."""
    return EpochList.model_validate({"items": epochs_of(request.app.state.platform.queue, job_id)})


@router.get("/logs")
def job_logs(
    request: Request,
    job_id: Identifier,
    tail: Annotated[int, Query(ge=0, le=5000)] = 200,
    after: Whole | None = None,
    run: Annotated[int | None, Query(ge=1, le=MOST_NUMBER)] = None,
) -> Log:
    """Return the end of a job's log, or what was written behind byte `after`; at most 256 KiB."""
    queue = request.app.state.platform.queue
    return Log.model_validate(read_log(queue.folder_of(queue.get(job_id)), run, after, tail))


@router.get("/events")
def job_events(
    request: Request, job_id: Identifier, after: Whole = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 200
) -> EventList:
    """List the events of a job behind one, the oldest first."""
    return _events(request, job_id, after, limit)


@router.get("/samples")
def job_samples(request: Request, job_id: Identifier, after: Whole = 0) -> EventList:
    """List the rows and answers that a job has shown while it trained."""
    return _events(request, job_id, after, 200, SAMPLES)


@router.get("/checkpoints")
def job_checkpoints(request: Request, job_id: Identifier) -> CheckpointList:
    """List the checkpoints of a job, the newest first."""
    queue = request.app.state.platform.queue
    return CheckpointList.model_validate({"items": list_checkpoints(queue.folder_of(queue.get(job_id)))})


@router.get("/files")
def job_files(request: Request, job_id: Identifier) -> FileList:
    """List the files of a job with their sizes and recorded hashes."""
    queue = request.app.state.platform.queue
    return FileList.model_validate({"items": list_files(queue.folder_of(queue.get(job_id)))})


@router.get("/files/{name:path}", response_class=FileResponse, responses=BYTES)
def download_job_file(
    request: Request, job_id: Identifier, name: Annotated[str, Path(min_length=1, max_length=1000)]
) -> FileResponse:
    """Download a file of a job; parts of it can be asked for with `Range`."""
    queue = request.app.state.platform.queue
    return OpenedFile(open_file(queue.folder_of(queue.get(job_id)), name), name)


@router.get("/recipe", response_class=Response, responses=TEXT)
def job_recipe(
    request: Request, job_id: Identifier, form: Annotated[Literal["yaml", "json"], Query(alias="format")] = "yaml"
) -> Response:
    """Return the recipe that repeats the job, as YAML or JSON."""
    queue = request.app.state.platform.queue
    recipe = recipe_of(queue.folder_of(queue.get(job_id)))
    return JsonResponse(recipe) if form == "json" else Response(recipe_yaml(recipe), media_type="application/yaml")


@router.get("/diagnosis")
def job_diagnosis(request: Request, job_id: Identifier) -> FindingList:
    """Tell what a job's numbers say about it, and which settings to try next."""
    return FindingList.model_validate({"items": diagnosis(request.app.state.platform.queue, job_id)})


@router.get("/report")
def job_report(request: Request, job_id: Identifier) -> Reports:
    """Return the reports of a job's training and of its newest evaluation."""
    queue = request.app.state.platform.queue
    job = queue.get(job_id)
    training, evaluation = stored_report(queue.folder_of(job)), evaluation_report(queue, job)
    try:
        return Reports.model_validate({"training": training, "evaluation": evaluation})
    except ValidationError:
        return Reports.model_validate({"training": training, "evaluation": None})


def _events(request: Request, job_id: str, after: int, limit: int, types: tuple[str, ...] = ()) -> EventList:
    queue = request.app.state.platform.queue
    queue.get(job_id)
    rows = queue.events_after(after, job_id=job_id, types=types, limit=limit + 1)
    items = [Event.model_validate(row, from_attributes=True) for row in rows[:limit]]
    return EventList(items=items, next_cursor=str(items[-1].id) if len(rows) > limit else None)
