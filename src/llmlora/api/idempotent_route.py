"""Routes whose POST is done once for one `Idempotency-Key`, and that read forms as typed as JSON."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import Request, Response

from llmlora.api.json_response import JsonResponse
from llmlora.api.strict_route import Handler, StrictRequest, StrictRoute
from llmlora.core.errors import BadRequest
from llmlora.core.layout import home_dir
from llmlora.core.publish import disk_errors
from llmlora.store import idempotency

HEADER = "Idempotency-Key"
MAX_KEY = 200
FORM = "multipart/form-data"


class IdempotentRoute(StrictRoute):
    """A strict route; a POST that carries a key is answered from memory the second time."""

    def get_route_handler(self) -> Handler:
        """Return the handler that looks at the key first."""
        handle = super().get_route_handler()

        async def once(request: Request) -> Response:
            checked = StrictRequest(request.scope, request.receive)
            key = checked.headers.get(HEADER) if request.method == "POST" else None
            try:
                if self.body_field is not None and _kind(checked) == FORM:
                    with disk_errors(home_dir()):  # before the framework does, which would word every failure alike
                        await checked.form(max_files=1, max_fields=20)
                return await handle(checked) if key is None else await _once(checked, key, handle)
            finally:
                await checked.close()  # the files of a form

        return once


async def _once(request: StrictRequest, key: str, handle: Handler) -> Response:
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise BadRequest("idempotency_key_unusable", limit=MAX_KEY)
    database = request.app.state.platform.database
    digest = await _digest(request)
    known = await _stored(database.write, partial(idempotency.begin, dialect=database.dialect, key=key, request=digest))
    if known is not None:
        return JsonResponse(known.response, known.status)
    try:
        answer = await handle(request)
        kept = {"status": answer.status_code, "response": json.loads(bytes(answer.body))}
    except BaseException:
        await _stored(database.write, partial(idempotency.forget, key=key))
        raise
    await _stored(database.write, partial(idempotency.answer, key=key, **kept))
    return answer


async def _stored(write: Callable[[], Any], change: Callable[[Any], Any]) -> Any:
    """Do one change of the index, in a thread: it may have to wait for others."""

    def work() -> Any:
        with write() as connection:
            return change(connection)

    return await asyncio.to_thread(work)


async def _digest(request: StrictRequest) -> str:
    """Return what tells one request from another; a file by its length, it has been read to the disk already."""
    parts = [request.method, request.url.path]
    is_form = _kind(request) == FORM
    body = request.headers.get("content-length", "").encode() if is_form else await request.body()
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace") + b"\n" + body).hexdigest()


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
