"""Routes that read JSON bodies as strictly as data files: no doubled keys, no NaN, no half characters."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from llmlora.core.errors import InputError
from llmlora.data.strict_json import JsonError, parse_json

MAX_DEPTH = 64
Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class StrictRequest(Request):
    """A request whose JSON body is read once, strictly."""

    async def json(self) -> Any:
        """Return the body's value.

        Raises:
            InputError: not strict JSON in UTF-8, or nested deeper than 64.
        """
        if not hasattr(self, "_json"):
            self._json = parse_body(await self.body())
        return self._json


class StrictRoute(APIRoute):
    """A route whose JSON body is checked before anything else looks at it."""

    def get_route_handler(self) -> Handler:
        """Return the handler that reads the body first."""
        handle = super().get_route_handler()
        has_body = self.body_field is not None

        async def strict(request: Request) -> Response:
            is_read = isinstance(request, StrictRequest)  # by a route above this one, which may hold its body already
            checked = request if is_read else StrictRequest(request.scope, request.receive)
            if has_body and _is_json(checked) and await checked.body():
                await checked.json()
            return await handle(checked)

        return strict


def _is_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def parse_body(body: bytes) -> Any:
    """Return the value of a JSON body.

    Raises:
        InputError: with the code of the mistake and its line.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError("body_not_utf8", position=error.start) from None
    try:
        return parse_json(text, MAX_DEPTH)
    except JsonError as refusal:
        line = text.count("\n", 0, refusal.position or 0) + 1
        raise InputError(refusal.code, line=line, **refusal.params) from None
