"""Ollama's own protocol on a port of its own, for programs that speak to Ollama: one address to change, no token.

It listens on this machine only. The names that it answers to (rule R2) and the refusal of foreign pages (rule R3) are
those of the other port; beside Ollama's routes it has `/v1/`, as Ollama has.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from llmlora.api.error_handlers import EXCEPTION_HANDLERS
from llmlora.api.json_response import JsonResponse
from llmlora.api.limits import BodyLimits
from llmlora.api.metrics import Meter, MeterGuard
from llmlora.api.problems import SPEAKS_OLLAMA
from llmlora.api.routes import ollama_protocol, openai
from llmlora.api.security.headers import AnswerGuard
from llmlora.api.security.host import HostGuard
from llmlora.api.security.origin import OriginGuard
from llmlora.services.platform import Platform
from llmlora.services.warm_models import WarmModels


class OllamaDoor:
    """Leads what comes in on one port to the application that speaks Ollama's protocol."""

    def __init__(self, app: ASGIApp, ollama_app: ASGIApp, port: int) -> None:
        self.app = app
        self.ollama_app = ollama_app
        self.port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by the port of the socket, which no request can name."""
        is_ours = scope["type"] != "lifespan" and (scope.get("server") or ("", None))[1] == self.port
        await (self.ollama_app if is_ours else self.app)(scope, receive, send)


def create_ollama_app(
    allowed_hosts: Iterable[str], platform: Platform, warm_models: WarmModels, meter: Meter
) -> FastAPI:
    """Return the application of the port; queue and loaded models are those of the other one."""
    app = FastAPI(
        openapi_url=None,
        redirect_slashes=False,
        default_response_class=JsonResponse,
        middleware=[
            Middleware(_Marked),
            Middleware(HostGuard, allowed=allowed_hosts),
            Middleware(MeterGuard, meter=meter),
            Middleware(AnswerGuard),
            Middleware(OriginGuard),
            Middleware(BodyLimits),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.state.platform, app.state.warm_models = platform, warm_models
    app.include_router(openai.router)
    app.include_router(ollama_protocol.router)
    return app


class _Marked:
    """Notes that errors are to have Ollama's shape."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app({**scope, SPEAKS_OLLAMA: True}, receive, send)
