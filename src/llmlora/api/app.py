"""The application: its guards from the outside to the inside, its routes, its one way to word an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from llmlora import __version__
from llmlora.api.error_handlers import EXCEPTION_HANDLERS
from llmlora.api.front_end import PAGE_DIR, front_end
from llmlora.api.json_response import JsonResponse
from llmlora.api.limits import BodyLimits
from llmlora.api.metrics import Meter, MeterGuard
from llmlora.api.ollama_app import OllamaDoor, create_ollama_app
from llmlora.api.openapi import openapi_of, operation_id
from llmlora.api.routes import (
    adapters,
    chat,
    chat_questions,
    comparisons,
    dataset_rows,
    dataset_versions,
    datasets,
    evaluations,
    events,
    exports,
    generate,
    health,
    jobs,
    models,
    ollama,
    openai,
    passports,
    presets,
    samples,
    system,
    training,
    training_details,
    training_schema,
    tutorials,
    uploads,
)
from llmlora.api.routes import settings as settings_routes
from llmlora.api.security.access import AccessGuard
from llmlora.api.security.credentials import Credentials
from llmlora.api.security.headers import AnswerGuard
from llmlora.api.security.host import HostGuard
from llmlora.api.security.origin import OriginGuard
from llmlora.catalog.header_reader import use_header_reader
from llmlora.core.server import ServerSettings, current_server_settings
from llmlora.services.broadcast import Broadcaster
from llmlora.services.limited_headers import LimitedHeaders
from llmlora.services.platform import Platform, current_platform
from llmlora.services.token import server_token
from llmlora.services.warm_models import WarmLimits, WarmModels

ROUTERS = (
    health.router,
    system.router,
    presets.router,
    models.router,
    samples.router,
    ollama.router,
    datasets.router,
    dataset_rows.router,
    dataset_versions.router,
    uploads.router,
    jobs.router,
    training.router,
    training_details.router,
    training_schema.router,
    settings_routes.router,
    adapters.router,
    passports.router,
    evaluations.router,
    exports.router,
    comparisons.router,
    events.router,
    generate.router,
    chat.router,
    chat_questions.router,
    tutorials.router,
    openai.router,
)
OPENAPI_PATH = "/api/openapi.json"


def create_app(
    settings: ServerSettings | None = None, platform: Platform | None = None, page_dir: Path = PAGE_DIR
) -> FastAPI:
    """Return the application of this workspace; from here on this process has children read the headers of models.

    Raises:
        ConfigError, ResourceError: the settings or the token cannot be used.
    """
    settings = settings or current_server_settings()
    platform = platform or current_platform()
    token = server_token(settings)
    use_header_reader(LimitedHeaders())
    meter, broadcaster = Meter(), Broadcaster(platform.events)
    warm_models = WarmModels(WarmLimits.of_machine(settings.warm_memory_percent, settings.warm_seconds))
    doors = []
    if settings.ollama_port is not None:
        ollama_app = create_ollama_app(settings.allowed_hosts, platform, warm_models, meter)
        doors = [Middleware(OllamaDoor, ollama_app=ollama_app, port=settings.ollama_port)]
    app = FastAPI(
        title="llmlora",
        version=__version__,
        openapi_url=OPENAPI_PATH,
        docs_url=None,  # their pages would load scripts from other machines
        redoc_url=None,
        redirect_slashes=False,
        default_response_class=JsonResponse,
        generate_unique_id_function=operation_id,
        lifespan=_lifespan,
        middleware=[
            *doors,
            Middleware(HostGuard, allowed=settings.allowed_hosts),
            Middleware(MeterGuard, meter=meter),
            Middleware(AnswerGuard),
            Middleware(AccessGuard, credentials=Credentials(token) if token is not None else None),
            Middleware(OriginGuard),
            Middleware(BodyLimits),
        ],
        exception_handlers=EXCEPTION_HANDLERS,
    )
    app.state.meter, app.state.broadcaster, app.state.platform = meter, broadcaster, platform
    app.state.settings = settings
    app.state.fetches_urls = settings.fetch_urls
    app.state.warm_models, app.state.model_roots = warm_models, settings.model_roots
    for router in ROUTERS:
        app.include_router(router)
    app.include_router(front_end(page_dir))
    app.openapi = cache(lambda: openapi_of(app))  # type: ignore[method-assign]
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Look after jobs and hand out events; `http_server` finds the streams in this state and ends them at a stop."""
    platform, broadcaster, warm_models = app.state.platform, app.state.broadcaster, app.state.warm_models
    broadcaster.open()
    await asyncio.to_thread(platform.start, broadcaster, warm_models)
    try:
        yield {"broadcaster": broadcaster, "warm_models": warm_models}
    finally:
        await asyncio.to_thread(warm_models.wait_closed)
        await asyncio.to_thread(platform.close)
