"""Rule R5: the headers of every answer, and the answer where a handler has failed."""

from __future__ import annotations

import logging

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmlora.api.problems import MANUAL_POLICY, SECURITY_HEADERS, send_problem, take_language
from llmlora.core.errors import DiskFull, LlmloraError, WorkerDied
from llmlora.core.layout import home_dir
from llmlora.core.publish import free_bytes, is_disk_full

logger = logging.getLogger("llmlora.api")


class AnswerGuard:
    """Adds the headers, speaks the caller's language, and words what nobody expected as a problem document."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its exception is logged, never shown."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        take_language(scope)
        has_begun = False

        async def send_guarded(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                _add_headers(scope["path"], message["status"], MutableHeaders(raw=message["headers"]))
            await send(message)

        try:
            await self.app(scope, receive, send_guarded)
        except ClientDisconnect:
            return
        except LlmloraError as error:
            if has_begun:
                raise
            await send_problem(scope, receive, send, error)
        except Exception as error:
            if is_disk_full(error) and not has_begun:  # whatever could not write
                full = DiskFull("disk_full", path=str(home_dir()), free_bytes=free_bytes(home_dir()))
                await send_problem(scope, receive, send, full)
                return
            logger.exception("%s %s failed", scope["method"], scope["path"][:200])
            if not has_begun:
                await send_problem(scope, receive, send, WorkerDied("internal", detail=type(error).__name__))


def _add_headers(path: str, status: int, headers: MutableHeaders) -> None:
    if path.startswith("/manual/"):
        headers.setdefault("Content-Security-Policy", MANUAL_POLICY)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if path.startswith(("/api/", "/v1/")):
        headers.setdefault("Cache-Control", "no-store")
    elif path.startswith("/assets/") and status in (200, 206, 304):
        headers.setdefault("Cache-Control", "public, max-age=31536000, immutable")  # their names hold their hashes
    else:
        headers.setdefault("Cache-Control", "no-cache")  # else an upgrade shows the page of before
