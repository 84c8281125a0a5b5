"""One stream of everything that happens, resumable where it broke off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from llmlora.api.json_response import readable

router = APIRouter(prefix="/api", tags=["events"])
RETRY_MILLISECONDS = 1000


@router.get("/events", response_class=EventSourceResponse)
async def stream_events(
    request: Request, last_event_id: Annotated[str | None, Header(max_length=100)] = None
) -> AsyncIterator[ServerSentEvent]:
    """Stream events; `Last-Event-ID` goes on behind that event, `resync` says to look at everything anew."""
    broadcaster = request.app.state.broadcaster
    if last_event_id is None:  # told its place at once, a stream that breaks off before its first event loses none
        last_event_id = await broadcaster.here()
        yield ServerSentEvent(comment="open", retry=RETRY_MILLISECONDS, id=last_event_id)
    else:
        yield ServerSentEvent(comment="open", retry=RETRY_MILLISECONDS)
    async for event_id, event in broadcaster.watch(last_event_id):
        yield ServerSentEvent(data=readable(event.data), event=event.type, id=event_id)
