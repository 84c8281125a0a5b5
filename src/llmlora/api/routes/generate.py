"""Generate: one question to one model, answered as that model was trained, or one text to continue."""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel

from llmlora.api.answering import whole_answer
from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.sampling import ModelName, Prompt, Sampling
from llmlora.core.errors import InputError
from llmlora.services.askable import Askable, find_askable, find_askable_path

router = APIRouter(prefix="/api", tags=["generate"], route_class=IdempotentRoute)


class GenerateRequest(Sampling):
    """What to ask: `model` is a bundled name, a job id, `job:<id>`, `job:<id>@base` or `export:<id>/Q4_K_M`.

    `model_path` takes the same, and paths inside the workspace's jobs and exports. `prompt` is one user turn; with
    `raw` it is a text to continue. `max_length` counts new tokens; without a `seed` every answer is another one.
    """

    model: ModelName | None = None
    model_path: ModelName | None = None
    prompt: Prompt
    system: Prompt | None = None
    raw: bool = False


class Generated(BaseModel):
    """The answer; `finish_reason` length means that it was cut at `max_length` or at the end of the context."""

    text: str
    finish_reason: Literal["stop", "length"]
    num_tokens: int


@router.post("/generate")
async def generate(request: Request, wish: GenerateRequest) -> Generated:
    """Ask a model one question, as it was trained to be asked; `raw` continues the text instead."""
    askable = await asyncio.to_thread(_askable, request, wish)
    reply, _ = await whole_answer(request, request.app.state.warm_models, askable.location, _asked(wish, askable))
    return Generated.model_validate(reply)


def _askable(request: Request, wish: GenerateRequest) -> Askable:
    queue = request.app.state.platform.queue
    if (wish.model is None) == (wish.model_path is None):
        raise InputError("one_model_wanted")
    if wish.model is not None:
        return find_askable(queue, wish.model)
    return find_askable_path(queue, wish.model_path or "", request.app.state.model_roots)


def _asked(wish: GenerateRequest, askable: Askable) -> dict[str, Any]:
    if wish.raw:
        return {"prompt": wish.prompt, **wish.options()}
    turns = [{"role": "user", "content": wish.prompt}]
    return {"messages": askable.conversation(turns, wish.system), **wish.options()}
