"""The OpenAPI document: what FastAPI derives from the routes, with our errors and our token."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import BaseRoute

from llmlora.api.idempotent_route import HEADER, MAX_KEY
from llmlora.api.openai_errors import PATH as OPENAI_PATH
from llmlora.api.security.access import OPEN_PATHS

PROBLEM = {
    "title": "Problem",
    "type": "object",
    "required": ["title", "status", "code", "params", "detail", "hint", "action"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string", "description": "The words of the status."},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "Stable name of the error."},
        "params": {"type": "object", "description": "The values that its words are about."},
        "detail": {"type": "string", "description": "What happened and why, in the caller's language."},
        "hint": {"type": "string", "description": "The next step, in the caller's language."},
        "action": {
            "anyOf": [{"$ref": "#/components/schemas/Action"}, {"type": "null"}],
            "description": "The next step as data, where a program can take it.",
        },
        "problems": {"type": "array", "items": {"type": "string"}, "description": "One line per value that is wrong."},
    },
    "examples": [
        {
            "type": "about:blank",
            "title": "Not Found",
            "status": 404,
            "code": "job_not_found",
            "params": {"id": "01M8K3V5E8ZC4Y2Q6T1N9B7R0X"},
            "detail": "There is no job 01M8K3V5E8ZC4Y2Q6T1N9B7R0X. This workspace has no such job, or it was deleted.",
            "hint": "Look up its id in the list of jobs.",
            "action": None,
        }
    ],
}
PROBLEM_ANSWER: dict[str, Any] = {
    "description": "An error, worded in the language of Accept-Language (ja or en)",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
OPENAI_ERROR = {
    "title": "OpenaiError",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string", "description": "What happened, why, and the next step."},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"], "description": "The field of the request that it is about."},
                "code": {"type": "string"},
            },
        }
    },
}
OPENAI_ERROR_ANSWER = {
    "description": "An error in the shape of OpenAI's API",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OpenaiError"}}},
}
IDEMPOTENCY_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Again with the same request: the same answer, and nothing is done twice. With another one: error.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[!-~]+$"},
}
SCHEMES = {"bearer": {"type": "http", "scheme": "bearer", "description": "The token of the workspace."}}
UNUSED = ("HTTPValidationError", "ValidationError")


def operation_id(route: BaseRoute) -> str:
    """Return the name of a route for generated clients: `list_jobs` is `listJobs`."""
    first, *rest = str(getattr(route, "name", "")).split("_")
    return first + "".join(word.capitalize() for word in rest)


def handler_name(operation: str) -> str:
    """Return the name of the handler of an operation, which is also the end of the key of its sentence."""
    return re.sub("[A-Z]", lambda letter: f"_{letter[0].lower()}", operation)


def openapi_of(app: FastAPI) -> dict[str, Any]:
    """Return the document of an application."""
    document = get_openapi(title=app.title, version="1", routes=app.routes)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in UNUSED:
        schemas.pop(name, None)
    if taken := {"Problem", "OpenaiError"} & set(schemas):
        raise ValueError(f"a model of a route takes the name of an error document: {taken}")
    schemas |= {"Problem": PROBLEM, "OpenaiError": OPENAI_ERROR}
    document["components"]["securitySchemes"] = SCHEMES
    document["security"] = [{"bearer": []}]
    for path, operations in document["paths"].items():
        if "post" in operations:
            operations["post"].setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        for operation in operations.values():
            operation["responses"].pop("422", None)
            is_openai = path.startswith(OPENAI_PATH)
            operation["responses"]["default"] = OPENAI_ERROR_ANSWER if is_openai else PROBLEM_ANSWER
            if path in OPEN_PATHS:
                operation["security"] = []
    return document
