"""The Ollama server of this machine: download a model, register what was exported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import Reference
from llmlora.services.queued_ollama import RegisterWish, submit_pull, submit_register

router = APIRouter(prefix="/api", tags=["ollama"], route_class=IdempotentRoute)


class QueuedWork(BaseModel):
    """Work that was put into the queue; what becomes of it is told by /api/events."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: str
    name: str
    status: str
    parent_id: str | None
    created_at: str


class Registration(BaseModel):
    """Which export of the queue (`job_id`) to register under which name; `replace` takes a name that is in use."""

    model_config = ConfigDict(extra="forbid")

    job_id: Reference
    name: Reference
    system: str | None = None
    replace: bool = False


@router.post("/models/pull/{name:path}", status_code=201)
def pull_model(request: Request, name: Annotated[str, Path(min_length=1, max_length=300)]) -> QueuedWork:
    """Have Ollama download a model as work of the queue; names with / and : are taken as they are."""
    return QueuedWork.model_validate(submit_pull(request.app.state.platform.queue, name))


@router.post("/ollama/register", status_code=201)
def register_export(request: Request, wish: Registration) -> QueuedWork:
    """Register a finished export in Ollama as work of the queue, and ask the served model what was taught."""
    queue = request.app.state.platform.queue
    return QueuedWork.model_validate(submit_register(queue, RegisterWish(**wish.model_dump())))
