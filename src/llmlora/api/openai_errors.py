"""Errors below `/v1/` in the shape of OpenAI's API, which its clients read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from llmlora.core.errors import Conflict, InputError, LlmloraError, ResourceError, Unauthorized

PATH: Final = "/v1/"
CODES: Final = {
    "model_not_askable": "model_not_found",
    "prompt_too_long": "context_length_exceeded",
    "prompt_too_large": "context_length_exceeded",
}
ABOUT_MODEL: Final = ("model_not_askable", "job_not_finished", "export_not_finished", "base_missing")


def openai_status(error: LlmloraError) -> int:
    """Return the status that a client of OpenAI's API understands: what is wrong with a request is 400 there."""
    if isinstance(error, InputError | Conflict):
        return 400
    return 503 if isinstance(error, ResourceError) else error.http_status


def openai_error(error: LlmloraError, problem: Mapping[str, Any]) -> dict[str, Any]:
    """Return `{"error": {"message", "type", "param", "code"}}` for an error and its problem document."""
    status = openai_status(error)
    kinds = {429: "rate_limit_error", 401: "authentication_error"}
    return {
        "error": {
            "message": whole_text(problem),
            "type": kinds.get(status, "server_error" if status >= 500 else "invalid_request_error"),
            "param": _param(error),
            "code": "invalid_api_key" if isinstance(error, Unauthorized) else CODES.get(error.code, error.code),
        }
    }


def whole_text(problem: Mapping[str, Any]) -> str:
    """Return the words of a problem document in one line: what, why, every problem, and the next step."""
    return " ".join([problem["detail"], *problem.get("problems", ()), problem["hint"]])


def _param(error: LlmloraError) -> str | None:
    """Return the field of the request that an error is about."""
    if error.code in ABOUT_MODEL:
        return "model"
    problems = error.params.get("problems")
    if error.code == "request_invalid" and problems:
        return str(problems[0]["field"]).removeprefix("body.")
    found = error.params.get("param")
    return found if isinstance(found, str) else None
