"""Whether the server lives, and what it counts."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from llmlora.api.metrics import CONTENT_TYPE

router = APIRouter(tags=["server"])


class Health(BaseModel):
    """The server answers."""

    status: str


@router.get("/healthz")
async def healthz() -> Health:
    """Tell that the server answers; needs no token."""
    return Health(status="ok")


@router.get("/metrics", response_class=PlainTextResponse)
def server_metrics(request: Request) -> PlainTextResponse:
    """Return what the server counts, in the text format of Prometheus."""
    state = request.app.state
    text = state.meter.text({"event_streams": state.broadcaster.num_watchers})
    return PlainTextResponse(text, headers={"Content-Type": CONTENT_TYPE})
