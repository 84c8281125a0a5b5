"""Errors as they leave the server: RFC 9457 problem documents in the caller's language.

Below `/v1/` they have OpenAI's shape, and Ollama's where its protocol is spoken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from llmlora.api import openai_errors
from llmlora.api.json_response import JsonResponse
from llmlora.api.openai_errors import openai_error, openai_status, whole_text
from llmlora.core.errors import ConfigError, InputError, LlmloraError
from llmlora.core.locale import LANGUAGES, has_text, set_language, speak_to_page, spoken_error, translate
from llmlora.core.setting_words import setting_problems, value_limit

# On every answer: no page, script or frame of another origin gets anything out of it or into it.
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; object-src 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
}
# The page of the API draws icons as data; the manual, static and ours, also sets sizes inline.
API_DOCS_POLICY = SECURITY_HEADERS["Content-Security-Policy"] + "; img-src 'self' data:"
MANUAL_POLICY = API_DOCS_POLICY + "; style-src 'self' 'unsafe-inline'"
MAX_LISTED = 50
KIND = re.compile(r"^(constrained-)?(str|int|float|bool)$|\[")  # of a value that may be of several, in the way to it
SPEAKS_OLLAMA = "llmlora.ollama"  # in the scope of a request that came in where Ollama's protocol is spoken


class ProblemResponse(JsonResponse):
    """A problem document."""

    media_type = "application/problem+json"


def problem_response(scope: Scope, error: LlmloraError, headers: Mapping[str, str] | None = None) -> JsonResponse:
    """Return the answer for an error of a request, with the security headers."""
    document, all_headers = problem_of(error), {**SECURITY_HEADERS, **(headers or {})}
    if scope["path"].startswith(openai_errors.PATH):
        return JsonResponse(openai_error(error, document), openai_status(error), all_headers)
    if scope.get(SPEAKS_OLLAMA):
        return JsonResponse({"error": whole_text(document)}, openai_status(error), all_headers)
    return ProblemResponse(document, error.http_status, all_headers)


def problem_of(error: LlmloraError) -> dict[str, Any]:
    """Return status, stable code, parameters, what and why as `detail`, the next step as `hint` and as `action`."""
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(error.http_status).phrase,
        "status": error.http_status,
        **spoken_error(error),
    }
    if isinstance(error, ConfigError):
        document["problems"] = setting_problems(error)[:MAX_LISTED]
    elif error.code == "request_invalid":
        document["problems"] = [
            translate("api.problem", field=item["field"], limit=_limit(item)) for item in error.params["problems"]
        ]
    return document


def _limit(item: Mapping[str, Any]) -> str:
    key = f"api.value.{item['limit_type']}"
    return translate(key, **item["limit_params"]) if has_text(key) else value_limit(item)


def invalid_request(problems: Iterable[Mapping[str, Any]]) -> InputError:
    """Return the error for values of a request that are missing or wrong; what was sent is not repeated.

    A value that may be of several kinds, and is of none, is one problem: the deepest one, as the first kind.
    """
    found: dict[str, dict[str, Any]] = {}
    for item in problems:
        field = ".".join(str(part) for part in item["loc"] if not KIND.search(str(part)))
        limits = {name: str(bound)[:200] for name, bound in (item.get("ctx") or {}).items()}
        found.setdefault(field, {"field": field, "limit_type": item["type"], "limit_params": limits})
    deepest = [found[field] for field in found if not any(other.startswith(f"{field}.") for other in found)]
    return InputError("request_invalid", problems=deepest[:MAX_LISTED], count=len(deepest))


def take_language(scope: Scope) -> None:
    """Speak to a reader of the page, in the first language of `Accept-Language` that we have, else the server's own."""
    wanted = Headers(scope=scope).get("accept-language", "")
    names = [part.split(";")[0].strip().lower().split("-")[0] for part in wanted[:200].split(",")]
    set_language(next((name for name in names if name in LANGUAGES), None))
    speak_to_page()


async def send_problem(
    scope: Scope, receive: Receive, send: Send, error: LlmloraError, headers: Mapping[str, str] | None = None
) -> None:
    """Answer a request with an error, in the caller's language."""
    take_language(scope)
    await problem_response(scope, error, headers)(scope, receive, send)
