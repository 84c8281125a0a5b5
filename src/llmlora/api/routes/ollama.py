"""The Ollama server of this machine: download a model, register what was exported."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import JobError, Reference
from llmlora.api.openapi import PROBLEM_ANSWER
from llmlora.core.locale import worded_error
from llmlora.services.ollama import rollback_model, server_state
from llmlora.services.queued_ollama import RegisterWish, submit_pull, submit_register

router = APIRouter(prefix="/api", tags=["ollama"], route_class=IdempotentRoute)
DOWN = {**PROBLEM_ANSWER, "description": "Ollama does not answer"}


class QueuedWork(BaseModel):
    """Work that was put into the queue; what becomes of it is told by /api/events."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    kind: str
    name: str
    status: str
    parent_id: str | None
    created_at: str


class OllamaModel(BaseModel):
    """A model that the server has."""

    name: str
    size: int | None
    digest: str | None
    quantization: str | None


class OllamaServer(BaseModel):
    """The Ollama server of this machine; where it does not answer `version` is null and `error` says why."""

    url: str
    version: str | None
    abilities: dict[str, bool]
    models: list[OllamaModel]
    error: JobError | None


class Rollback(BaseModel):
    """The name to give back to what it stood for before its last registration."""

    model_config = ConfigDict(extra="forbid")

    name: Reference


class RolledBack(BaseModel):
    """A name that was given back; what it stood for until now is kept under `kept`."""

    name: str
    kept: str
    digest: str | None


class Registration(BaseModel):
    """Which export of the queue (`job_id`) to register under which name; `replace` takes a name that is in use.

    `base` names a model in Ollama that the export's adapter goes on; `force` registers a file that is not verified.
    """

    model_config = ConfigDict(extra="forbid")

    job_id: Reference
    name: Reference
    system: Annotated[str, Field(max_length=100_000)] | None = None
    base: Reference | None = None
    replace: bool = False
    force: bool = False


@router.get("/ollama")
def get_ollama() -> OllamaServer:
    """Tell which Ollama server answers here, what its version can do, and which models it has."""
    state = server_state()
    return OllamaServer.model_validate({**state, "error": worded_error(state["error"])})


@router.post("/models/pull/{name:path}", status_code=201)
def pull_model(request: Request, name: Annotated[str, Path(min_length=1, max_length=300)]) -> QueuedWork:
    """Have Ollama download a model as work of the queue; names with / and : are taken as they are."""
    return QueuedWork.model_validate(submit_pull(request.app.state.platform.queue, name))


@router.post("/ollama/register", status_code=201)
def register_export(request: Request, wish: Registration) -> QueuedWork:
    """Register a finished export in Ollama as work of the queue, and ask the served model what was taught."""
    queue = request.app.state.platform.queue
    return QueuedWork.model_validate(submit_register(queue, RegisterWish(**wish.model_dump())))


@router.post("/ollama/rollback", responses={503: DOWN})
def roll_back_registration(wish: Rollback) -> RolledBack:
    """Give a name in Ollama back to what it stood for before its last registration, at once."""
    return RolledBack.model_validate(rollback_model(wish.name))
