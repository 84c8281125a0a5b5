"""What an application answers where a handler has failed: its one way to word an error."""

from __future__ import annotations

from typing import Any, Final

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from llmlora.api.problems import invalid_request, problem_response
from llmlora.core.errors import BadRequest, BodyTooLarge, LlmloraError, MethodNotAllowed, NotFound


async def _known_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, LlmloraError)
    return problem_response(request.scope, error)


async def _invalid_values(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem_response(request.scope, invalid_request(error.errors()))


async def _http_error(request: Request, error: Exception) -> Response:
    """Word what the framework refuses by itself."""
    assert isinstance(error, HTTPException)
    known: dict[int, LlmloraError] = {
        404: NotFound("route_not_found", path=request.url.path[:200]),
        405: MethodNotAllowed("method_not_allowed", method=request.method[:20], path=request.url.path[:200]),
        413: BodyTooLarge("body_too_large", limit_bytes=0),
    }
    found = known.get(error.status_code) or BadRequest("body_unreadable")
    return problem_response(request.scope, found, error.headers)


EXCEPTION_HANDLERS: Final[dict[Any, Any]] = {
    LlmloraError: _known_error,
    RequestValidationError: _invalid_values,
    HTTPException: _http_error,
}
