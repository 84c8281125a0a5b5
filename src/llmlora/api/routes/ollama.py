"""The Ollama server of this machine: download a model, register what was exported."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field

from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.job_models import JobError, Reference
from llmlora.api.openapi import PROBLEM_ANSWER
from llmlora.core.locale import translate, worded_error
from llmlora.services.ollama import ABILITIES, check_server, rollback_model, server_state, shown_model
from llmlora.services.queued_ollama import RegisterWish, submit_pull, submit_register

router = APIRouter(prefix="/api", tags=["ollama"], route_class=IdempotentRoute)
Quantization = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,16}$")]
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


class ServerCheck(BaseModel):
    """A check of the server: whether it answered as expected."""

    check: str
    ok: bool
    text: str


class CheckedServer(BaseModel):
    """What the server's version can do, and how it answered."""

    url: str
    version: str
    abilities: dict[str, bool]
    checks: list[ServerCheck]


class ShownModel(BaseModel):
    """What the server says of a model; null is what it does not say."""

    name: str
    details: dict[str, Any]
    parameters: str | None
    system: str | None
    template: str | None
    license: str | None
    capabilities: list[str]


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
    """Which export or training job of the queue (`job_id`) to register under which name.

    A training job is exported first: in which `way`, to which `quantizations`; null is as its base decides. `base`
    names a model in Ollama that the adapter goes on; `replace` takes a name that is in use, `force` a file that is not
    verified.
    """

    model_config = ConfigDict(extra="forbid")

    job_id: Reference
    name: Reference
    way: Literal["stitch", "merge", "adapter"] | None = None
    quantizations: Annotated[tuple[Quantization, ...], Field(min_length=1, max_length=20)] | None = None
    system: Annotated[str, Field(max_length=100_000)] | None = None
    base: Reference | None = None
    replace: bool = False
    force: bool = False


@router.get("/ollama")
def get_ollama() -> OllamaServer:
    """Tell which Ollama server answers here, what its version can do, and which models it has."""
    state = server_state()
    return OllamaServer.model_validate({**state, "error": worded_error(state["error"])})


@router.get("/ollama/check", responses={503: DOWN})
def check_ollama() -> CheckedServer:
    """Ask the Ollama server only what changes nothing, and tell whether it answers as its version should."""
    found = check_server()
    checks = [{**check, "text": translate(f"ollama.check.{check['check']}")} for check in found["checks"]]
    abilities = {name: found[name] for name in ABILITIES}
    return CheckedServer.model_validate({**found, "abilities": abilities, "checks": checks})


@router.get("/ollama/models/{name:path}", responses={503: DOWN})
def show_ollama_model(name: Annotated[str, Path(min_length=1, max_length=300)]) -> ShownModel:
    """Return what the Ollama server says of a model; names with / and : are taken as they are."""
    return ShownModel.model_validate(shown_model(name))


@router.post("/models/pull/{name:path}", status_code=201)
def pull_model(request: Request, name: Annotated[str, Path(min_length=1, max_length=300)]) -> QueuedWork:
    """Have Ollama download a model as work of the queue; names with / and : are taken as they are."""
    return QueuedWork.model_validate(submit_pull(request.app.state.platform.queue, name))


@router.post("/ollama/register", status_code=201, responses={503: DOWN})
def register_export(request: Request, wish: Registration) -> QueuedWork:
    """Register a finished export in Ollama as work of the queue, or a training job, which is exported first.

    The served model is asked what was taught.
    """
    queue = request.app.state.platform.queue
    return QueuedWork.model_validate(submit_register(queue, RegisterWish(**wish.model_dump())))


@router.post("/ollama/rollback", responses={503: DOWN})
def roll_back_registration(wish: Rollback) -> RolledBack:
    """Give a name in Ollama back to what it stood for before its last registration, at once."""
    return RolledBack.model_validate(rollback_model(wish.name))
