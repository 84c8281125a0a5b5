"""Answers of models between the threads of the warm models and the requests of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing, suppress
from typing import Any, TypeVar

from fastapi import Request
from starlette.requests import ClientDisconnect

from llmlora.services.chat import ModelLocation
from llmlora.services.follow import Event
from llmlora.services.warm_models import WarmModels

Result = TypeVar("Result")


async def answer_events(models: WarmModels, location: ModelLocation, request: dict[str, Any]) -> AsyncGenerator[Event]:
    """Ask a model and yield what it tells: `load`, `text`, and `reply` at last; leaving early stops generating.

    Raises:
        LlmloraError: what the model cannot answer, or why.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Queue[Event] = asyncio.Queue()

    def tell(event: Event) -> None:
        with suppress(RuntimeError):  # the loop has ended with the server
            loop.call_soon_threadsafe(told.put_nowait, event)

    question = models.ask(location, request, tell)
    try:
        while True:
            event = await told.get()
            if event["type"] == "error":
                raise event["error"]
            yield event
            if event["type"] == "reply":
                return
    finally:
        question.cancel()


async def whole_answer(
    request: Request, models: WarmModels, location: ModelLocation, asked: dict[str, Any]
) -> tuple[Event, list[dict[str, Any]]]:
    """Return the reply with what was told of its tokens; a caller who leaves stops generating.

    Raises:
        LlmloraError: what the model cannot answer, or why. ClientDisconnect: the caller has left.
    """
    return await unless_left(request, _collected(models, location, asked))


async def _collected(
    models: WarmModels, location: ModelLocation, asked: dict[str, Any]
) -> tuple[Event, list[dict[str, Any]]]:
    tokens: list[dict[str, Any]] = []
    last: Event = {}
    async with aclosing(answer_events(models, location, asked)) as events:
        async for last in events:
            tokens += last.get("tokens", ())
    return last, tokens


async def unless_left(request: Request, work: Coroutine[Any, Any, Result]) -> Result:
    """Return what some work gives; when the caller leaves it is ended.

    Raises:
        ClientDisconnect: the caller has left.
    """
    working, left = asyncio.ensure_future(work), asyncio.ensure_future(_until_left(request))
    try:
        await asyncio.wait({working, left}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientDisconnect
        return working.result()
    finally:
        working.cancel()
        left.cancel()


async def _until_left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
