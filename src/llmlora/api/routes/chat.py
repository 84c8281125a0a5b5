"""Chat: the same question to up to three models at once, in one stream; and which models can be asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import StreamingResponse

from llmlora.api.answering import answer_events
from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.json_response import readable
from llmlora.api.problems import problem_of
from llmlora.api.sampling import ModelName, Prompt, Sampling
from llmlora.core.errors import LlmloraError
from llmlora.services.askable import find_askable, list_askable
from llmlora.services.follow import Event
from llmlora.services.warm_models import WarmModels

router = APIRouter(prefix="/api", tags=["chat"], route_class=IdempotentRoute)
MOST_COLUMNS = 3
LEAST_SECONDS = 0.05  # an answer that comes in one go tells nothing of its speed
Stop = Annotated[tuple[Annotated[str, Field(min_length=1, max_length=1000)], ...], Field(max_length=16)]
EVENT_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "An event stream", "content": {"text/event-stream": {}}}
}


class Turn(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["system", "user", "assistant"]
    content: Prompt


class Column(BaseModel):
    """One model with its own history; the last turn is the question, with `raw` the text to continue."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName
    messages: Annotated[list[Turn], Field(min_length=1, max_length=1000)]


class ChatRequest(Sampling):
    """The same decoding and seed for every column; `top_logprobs` tells the likeliest tokens with each one."""

    columns: Annotated[list[Column], Field(min_length=1, max_length=MOST_COLUMNS)]
    system: Prompt | None = None
    raw: bool = False
    stop: Stop = ()
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None


class ChatModel(BaseModel):
    """A model that can be asked; `base` is what a job began with. `memory_bytes` is what a loaded one holds."""

    id: str
    name: str
    kind: Literal["bundled", "job", "base", "export"]
    job_id: str | None
    base_model: str | None
    system: str | None
    created_at: str | None
    is_loaded: bool
    memory_bytes: int | None


class ChatModelList(BaseModel):
    """Models that can be asked now."""

    items: list[ChatModel]
    next_cursor: str | None


@router.get("/chat/models")
def list_chat_models(request: Request) -> ChatModelList:
    """List what can be asked now: bundled models, finished jobs, their bases, exports."""
    loaded = request.app.state.warm_models.loaded()
    items = [
        ChatModel(
            **{name: getattr(one, name) for name in ("id", "name", "kind", "job_id", "base_model", "system")},
            created_at=one.created_at,
            is_loaded=one.location.process in loaded,
            memory_bytes=loaded.get(one.location.process),
        )
        for one in list_askable(request.app.state.platform.queue)
    ]
    return ChatModelList(items=items, next_cursor=None)


@router.post("/chat", response_class=StreamingResponse, responses=EVENT_STREAM)
async def chat(request: Request, wish: ChatRequest) -> StreamingResponse:
    """Ask up to three models at once and stream their answers."""
    return StreamingResponse(_stream(request, wish), media_type="text/event-stream")


async def _stream(request: Request, wish: ChatRequest) -> AsyncGenerator[str]:
    """Yield the events of all columns as they come; leaving early stops every one of them."""
    options = wish.options()
    told: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
    columns = [
        asyncio.create_task(_tell_column(request, wish, options, number, told)) for number in range(len(wish.columns))
    ]
    try:
        yield _event("begin", {"seed": options["seed"]})
        num_open = len(columns)
        while num_open:
            name, data = await told.get()
            num_open -= name in ("reply", "error")
            yield _event(name, data)
        yield _event("end", {})
    finally:
        for column in columns:
            column.cancel()


async def _tell_column(
    request: Request,
    wish: ChatRequest,
    options: dict[str, Any],
    number: int,
    told: asyncio.Queue[tuple[str, dict[str, Any]]],
) -> None:
    """Ask one column's model and put what it tells into the queue; one column fails alone."""
    models: WarmModels = request.app.state.warm_models
    try:
        askable = await asyncio.to_thread(find_askable, request.app.state.platform.queue, wish.columns[number].model)
        asked = _asked(wish, number, options, askable.conversation)
        began: float | None = None
        async with aclosing(answer_events(models, askable.location, asked)) as events:
            async for event in events:
                began = time.monotonic() if began is None and event["type"] == "text" else began
                told.put_nowait((event["type"], {"column": number, **_told(event, began)}))
    except LlmloraError as error:
        told.put_nowait(("error", {"column": number, **problem_of(error)}))


def _asked(wish: ChatRequest, number: int, options: dict[str, Any], conversation: Any) -> dict[str, Any]:
    turns = [turn.model_dump() for turn in wish.columns[number].messages]
    more = {"stop": list(wish.stop), "top_logprobs": wish.top_logprobs}
    if wish.raw:
        return {"prompt": turns[-1]["content"], **options, **more}
    return {"messages": conversation(turns, wish.system), **options, **more}


def _told(event: Event, began: float | None) -> dict[str, Any]:
    """Return what is told of an event; of a reply how fast it was, from the first token on."""
    data = {name: value for name, value in event.items() if name != "type" and (name != "tokens" or value)}
    if event["type"] != "reply":
        return data
    seconds = 0.0 if began is None else time.monotonic() - began
    rate = (event["num_tokens"] - 1) / seconds if seconds >= LEAST_SECONDS and event["num_tokens"] > 1 else None
    return {**data, "tokens_per_second": None if rate is None else round(rate, 1)}


def _event(name: str, data: dict[str, Any]) -> str:
    return f"event: {name}\ndata: {json.dumps(readable(data), ensure_ascii=False)}\n\n"
