"""Routes whose POST is done once for one `Idempotency-Key`, and that read forms as typed as JSON."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi import Request, Response
from starlette.datastructures import FormData, UploadFile
from starlette.responses import JSONResponse

from llmlora.api.json_response import JsonResponse
from llmlora.api.strict_route import Handler, StrictRequest, StrictRoute
from llmlora.core.errors import BadRequest
from llmlora.core.layout import home_dir
from llmlora.core.publish import disk_errors
from llmlora.store import idempotency

HEADER = "Idempotency-Key"
MAX_KEY = 200
FORM = "multipart/form-data"
PIECE = 1 << 20


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
    if known is not None and known.response is not None:
        return JsonResponse(known.response, known.status)
    if known is not None:  # its answer could not be kept: it is made anew
        return await handle(request)
    try:
        answer = await handle(request)
        kept = {"status": answer.status_code, "response": _kept(answer)}
    except BaseException:
        await _stored(database.write, partial(idempotency.forget, key=key))
        raise
    await _stored(database.write, partial(idempotency.answer, key=key, **kept))
    return answer


def _kept(answer: Response) -> Any:
    """Return what is kept of an answer: None for a stream or a text, which only routes have that make nothing."""
    return json.loads(bytes(answer.body)) if isinstance(answer, JSONResponse) else None


async def _stored(write: Callable[[], Any], change: Callable[[Any], Any]) -> Any:
    """Do one change of the index, in a thread: it may have to wait for others."""

    def work() -> Any:
        with write() as connection:
            return change(connection)

    return await asyncio.to_thread(work)


async def _digest(request: StrictRequest) -> str:
    """Return what tells one request from another; of a form its values, its boundaries differ each time."""
    address = f"{request.method}\n{request.url.path}\n{request.url.query}\n".encode("utf-8", "replace")
    if _kind(request) != FORM:
        return hashlib.sha256(address + await request.body()).hexdigest()
    form = await request.form()
    return await asyncio.to_thread(_digest_of_form, address, form)


def _digest_of_form(address: bytes, form: FormData) -> str:
    parts = [hashlib.sha256(address).hexdigest()]
    for name, value in form.multi_items():
        parts += [name, value if isinstance(value, str) else f"{value.filename}\n{_digest_of_file(value)}"]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _digest_of_file(file: UploadFile) -> str:
    """Return the digest of an uploaded file, and leave it at its beginning."""
    digest = hashlib.sha256()
    file.file.seek(0)
    while piece := file.file.read(PIECE):
        digest.update(piece)
    file.file.seek(0)
    return digest.hexdigest()


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()
