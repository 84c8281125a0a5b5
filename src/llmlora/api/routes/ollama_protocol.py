"""Ollama's routes, for programs that speak to Ollama: what can be asked here, and answers, whole or as lines."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.responses import PlainTextResponse, StreamingResponse

from llmlora.api.answering import answer_events, unless_left
from llmlora.api.json_response import JsonResponse, readable
from llmlora.api.ollama_answers import OllamaShape
from llmlora.api.ollama_requests import AnswerRequest, NamedModel, OllamaChat, OllamaGenerate
from llmlora.api.openai_errors import whole_text
from llmlora.api.problems import problem_of
from llmlora.core.errors import Forbidden, InputError, LlmloraError
from llmlora.services.askable import Askable
from llmlora.services.follow import Event
from llmlora.services.served_models import running_models, served_models, shown_model
from llmlora.services.served_names import find_served

router = APIRouter()
VERSION: Final = "0.40.0"  # of the protocol that is spoken: programs ask what it can do by this
SHORTEST: Final = {"prompt": "a", "max_new_tokens": 1}  # loads a model


@router.get("/")
@router.head("/")
def answer_that_it_runs() -> PlainTextResponse:
    """Answer a program that looks whether somebody is there."""
    return PlainTextResponse("llmlora is running")


@router.get("/api/version")
@router.head("/api/version")
def tell_version() -> dict[str, str]:
    """Tell the version of Ollama whose protocol is spoken."""
    return {"version": VERSION}


@router.get("/api/tags")
@router.head("/api/tags")
def list_served(request: Request) -> dict[str, Any]:
    """List what can be asked."""
    return {"models": served_models(request.app.state.platform.queue)}


@router.get("/api/ps")
def list_running(request: Request) -> dict[str, Any]:
    """List what is loaded; models on one file share what they hold."""
    return {"models": running_models(request.app.state.platform.queue, request.app.state.warm_models)}


@router.post("/api/show")
async def show(request: Request) -> dict[str, Any]:
    """Tell what a model is."""
    wish = await NamedModel.read(request)
    return await asyncio.to_thread(lambda: shown_model(find_served(request.app.state.platform.queue, wish.wanted)))


@router.post("/api/chat")
async def go_on_with_chat(request: Request) -> Response:
    """Go on with a conversation as its model was trained to."""
    wish = await OllamaChat.read(request)
    askable, options = await _found(request, wish), wish.asked()
    asked = {"messages": askable.conversation(wish.turns()), **options} if wish.messages else None
    return await _answer(request, wish, askable, asked, is_chat=True)


@router.post("/api/generate")
async def go_on_with_text(request: Request) -> Response:
    """Answer a question as its model was trained to; `raw` goes on with the text."""
    wish = await OllamaGenerate.read(request)
    askable, asked = await _found(request, wish), wish.asked()
    turns = askable.conversation([{"role": "user", "content": wish.prompt}], wish.system)
    asked |= {"prompt": wish.prompt} if wish.raw else {"messages": turns}
    return await _answer(request, wish, askable, asked if wish.prompt else None, is_chat=False)


@router.post("/api/embed")
@router.post("/api/embeddings")
def refuse_embeddings() -> None:
    """Refuse: models are trained to answer here."""
    raise InputError("ollama_no_embeddings")


@router.post("/api/pull")
@router.post("/api/push")
@router.post("/api/create")
@router.post("/api/copy")
@router.delete("/api/delete")
@router.post("/api/blobs/{digest}")
def refuse_changes(request: Request) -> None:
    """Refuse what would change the models of an Ollama: there is no store here to change."""
    raise Forbidden("ollama_port_reads_only", path=request.url.path[:200])


async def _found(request: Request, wish: AnswerRequest) -> Askable:
    return await asyncio.to_thread(find_served, request.app.state.platform.queue, wish.wanted)


async def _answer(
    request: Request, wish: AnswerRequest, askable: Askable, asked: dict[str, Any] | None, *, is_chat: bool
) -> Response:
    """Answer at once or in lines; what is wrong before the first line has a status of its own."""
    models = request.app.state.warm_models
    shape = OllamaShape(wish.wanted, is_chat=is_chat, wants_logprobs=bool(wish.logprobs))
    if asked is None and wish.leaves:
        models.let_go(askable.location)
        return JsonResponse(shape.without_text("unload"))
    events = _noted(answer_events(models, askable.location, asked or SHORTEST), shape)
    if asked is None:
        await unless_left(request, _collected(events))
        return JsonResponse(shape.without_text("load"))
    if wish.stream is False:
        reply, text, tokens = await unless_left(request, _collected(events))
        return JsonResponse(shape.last(reply, text, tokens))
    first = await unless_left(request, anext(events))
    return StreamingResponse(_lines(first, events, shape), media_type="application/x-ndjson")


async def _noted(events: AsyncGenerator[Event], shape: OllamaShape) -> AsyncGenerator[Event]:
    """Yield the pieces and the reply, with the times noted."""
    async with aclosing(events):
        async for event in events:
            if event["type"] == "load":
                shape.note_load()
                continue
            shape.note_first()
            yield event


async def _collected(events: AsyncGenerator[Event]) -> tuple[Event, str, list[dict[str, Any]]]:
    tokens: list[dict[str, Any]] = []
    last: Event = {}
    async with aclosing(events):
        async for last in events:
            tokens += last.get("tokens", ())
    return last, last["text"], tokens


async def _lines(first: Event, events: AsyncGenerator[Event], shape: OllamaShape) -> AsyncGenerator[str]:
    """Yield the lines of a stream; what goes wrong on the way is the last one."""
    async with aclosing(events):
        try:
            yield _line(first, shape)
            async for event in events:
                yield _line(event, shape)
        except LlmloraError as error:
            yield _json({"error": whole_text(problem_of(error))})


def _line(event: Event, shape: OllamaShape) -> str:
    is_last = event["type"] == "reply"
    return _json(shape.last(event) if is_last else shape.piece(event["text"], event["tokens"]))


def _json(value: dict[str, Any]) -> str:
    return json.dumps(readable(value), ensure_ascii=False) + "\n"
