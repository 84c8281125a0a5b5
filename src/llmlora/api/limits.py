"""How large a body may be, and how long the next piece of it may take."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from llmlora.api.problems import send_problem
from llmlora.core.errors import BodyTooLarge, LlmloraError, RequestTimeout

MAX_BODY_BYTES = 32 << 20
SILENT_SECONDS = 30.0
MAX_UPLOAD_BYTES = (2 << 30) + (1 << 20)  # a file of 2 GiB and the form around it
LARGE_BODIES = (("POST", "/api/datasets/upload"), ("PUT", "/api/uploads/"))  # and what is below


class BodyLimits:
    """Refuses a body that is announced or found to be too large, and a sender who falls silent in the middle of one."""

    def __init__(
        self,
        app: ASGIApp,
        max_bytes: int = MAX_BODY_BYTES,
        silent_seconds: float = SILENT_SECONDS,
        max_upload_bytes: int = MAX_UPLOAD_BYTES,
    ) -> None:
        self.app = app
        self.max_bytes = max_bytes
        self.max_upload_bytes = max_upload_bytes
        self.silent_seconds = silent_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted and timed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.max_upload_bytes if _is_large(scope) else self.max_bytes
        if _announced(scope) > limit:
            headers = {"Connection": "close"}  # the body that follows is not read
            await send_problem(scope, receive, send, BodyTooLarge("body_too_large", limit_bytes=limit), headers)
            return
        await self.app(scope, _Body(receive, limit, self.silent_seconds).receive, send)


class _Body:
    def __init__(self, receive: Receive, limit: int | None, silent_seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._silent_seconds = silent_seconds
        self._num_bytes = 0
        self._is_complete = False

    async def receive(self) -> Message:
        """Return the next piece of the body; once it is complete, wait for the end of the connection without limit."""
        if self._is_complete:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), self._silent_seconds)
        except TimeoutError:
            raise self._refusal(RequestTimeout("body_too_slow", seconds=int(self._silent_seconds))) from None
        if message["type"] == "http.request":
            self._num_bytes += len(message.get("body", b""))
            self._is_complete = not message.get("more_body", False)
            if self._limit is not None and self._num_bytes > self._limit:
                raise self._refusal(BodyTooLarge("body_too_large", limit_bytes=self._limit))
        return message

    def _refusal(self, error: LlmloraError) -> LlmloraError:
        self._is_complete = True
        return error


def _is_large(scope: Scope) -> bool:
    return any(scope["method"] == method and scope["path"].startswith(path) for method, path in LARGE_BODIES)


def _announced(scope: Scope) -> int:
    lengths = [value for name, value in scope["headers"] if name == b"content-length"]
    return max((int(value) for value in lengths if value.isdigit() and len(value) < 19), default=0)
