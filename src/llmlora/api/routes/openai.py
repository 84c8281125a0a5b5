"""The part of OpenAI's API that its clients need to talk with the models of this workspace; the key is the token."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response
from starlette.responses import StreamingResponse

from llmlora.api.answering import answer_events, unless_left, whole_answer
from llmlora.api.idempotent_route import IdempotentRoute
from llmlora.api.json_response import JsonResponse, readable
from llmlora.api.openai_answers import (
    ChatShape,
    CompletionShape,
    OpenaiAnswer,
    OpenaiModel,
    OpenaiModelList,
    Shape,
)
from llmlora.api.openai_errors import openai_error
from llmlora.api.openai_requests import ChatCompletionRequest, CompletionRequest, SamplingRequest
from llmlora.api.problems import problem_of
from llmlora.core.errors import LlmloraError
from llmlora.services.askable import Askable, find_askable, list_askable
from llmlora.services.follow import Event

router = APIRouter(prefix="/v1", tags=["openai"], route_class=IdempotentRoute)
ANSWER: dict[int | str, dict[str, Any]] = {200: {"model": OpenaiAnswer, "content": {"text/event-stream": {}}}}


@router.get("/models")
def list_openai_models(request: Request) -> OpenaiModelList:
    """List the models that can be asked, in the shape of OpenAI's API."""
    queue = request.app.state.platform.queue
    return OpenaiModelList(data=[_model(askable) for askable in list_askable(queue)])


@router.get("/models/{name:path}")
def get_openai_model(request: Request, name: Annotated[str, Path(min_length=1, max_length=300)]) -> OpenaiModel:
    """Tell of one model, in the shape of OpenAI's API."""
    return _model(find_askable(request.app.state.platform.queue, name))


@router.post("/chat/completions", responses=ANSWER)
async def create_chat_completion(request: Request, wish: ChatCompletionRequest) -> Response:
    """Go on with a conversation, whole or as a stream, in the shape of OpenAI's API."""
    askable = await _askable(request, wish)
    messages = askable.conversation([message.to_dict() for message in wish.messages])
    shape = ChatShape(wish.model, wants_logprobs=bool(wish.logprobs), wants_usage=wish.wants_usage)
    return await _answer(request, wish, askable, wish.asked(messages), shape)


@router.post("/completions", responses=ANSWER)
async def create_completion(request: Request, wish: CompletionRequest) -> Response:
    """Go on with a text, whole or as a stream, in the shape of OpenAI's API."""
    askable = await _askable(request, wish)
    shape = CompletionShape(wish.model, wants_logprobs=wish.logprobs is not None, wants_usage=wish.wants_usage)
    return await _answer(request, wish, askable, wish.asked(), shape)


def _model(askable: Askable) -> OpenaiModel:
    created = 0 if askable.created_at is None else int(datetime.fromisoformat(askable.created_at).timestamp())
    return OpenaiModel(id=askable.id, created=created)


async def _askable(request: Request, wish: SamplingRequest) -> Askable:
    wish.check()
    return await asyncio.to_thread(find_askable, request.app.state.platform.queue, wish.model)


async def _answer(
    request: Request, wish: SamplingRequest, askable: Askable, asked: dict[str, Any], shape: Shape
) -> Response:
    """Answer at once or in pieces; what is wrong before the first piece has a status of its own."""
    models = request.app.state.warm_models
    if not wish.stream:
        return JsonResponse(shape.whole(*await whole_answer(request, models, askable.location, asked)))
    events = answer_events(models, askable.location, asked)
    first = await unless_left(request, _first(events))
    return StreamingResponse(_lines(first, events, shape), media_type="text/event-stream")


async def _first(events: AsyncGenerator[Event]) -> Event:
    """Return the first event of an answer, when the model is loaded."""
    while (event := await anext(events))["type"] == "load":
        pass
    return event


async def _lines(first: Event, events: AsyncGenerator[Event], shape: Shape) -> AsyncGenerator[str]:
    """Yield the lines of a stream; what goes wrong on the way is the last one."""
    async with aclosing(events):
        try:
            async for chunk in _chunks(first, events, shape):
                yield _line(chunk)
        except LlmloraError as error:
            yield _line(openai_error(error, problem_of(error)))
            return
    yield "data: [DONE]\n\n"


async def _chunks(first: Event, events: AsyncGenerator[Event], shape: Shape) -> AsyncGenerator[dict[str, Any]]:
    for chunk in (*shape.first(), *_chunks_of(first, shape)):
        yield chunk
    async for event in events:
        for chunk in _chunks_of(event, shape):
            yield chunk


def _chunks_of(event: Event, shape: Shape) -> list[dict[str, Any]]:
    if event["type"] == "reply":
        return shape.last(event)
    return [shape.piece(event["text"], event["tokens"])]


def _line(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(readable(value), ensure_ascii=False)}\n\n"
