"""Errors are problem documents in the caller's language; values of a request are checked in words, never with a 500."""

import contextvars
import json

import pytest
from pydantic import BaseModel

from api.clients import signed_in
from llmlora.api.json_response import JsonResponse
from llmlora.api.strict_route import MAX_DEPTH, StrictRoute
from llmlora.core.errors import ConfigError, LlmloraError, OutOfMemory, Stopped
from llmlora.core.locale import set_program


class Asked(BaseModel, extra="forbid"):
    name: str
    limit: int = 10
    more: list | None = None


@pytest.fixture
def client(app):
    """Return a client of an application with a route that takes a body, and one for each error to be worded."""

    def take(asked: Asked) -> Asked:
        return asked

    def fail(error: str) -> None:
        errors = {
            "settings": ConfigError(
                "invalid_settings",
                problems=[{"field": "lora_dropout", "code": "bad_value", "value": 2, "limit_type": "less_than",
                           "limit_params": {"lt": "1"}}],
                count=1,
                known="r",
            ),
            "memory": OutOfMemory("memory_short", needed_bytes=2, free_bytes=1),
            "stopped": Stopped("interrupted"),
            "resumable": Stopped("stopped", step=1, total_steps=2, folder="/jobs/a"),
        }  # fmt: skip
        raise errors[error]

    def numbers() -> JsonResponse:
        steps = [{"loss": float("-inf"), "step": 1}]
        return JsonResponse({"loss": float("nan"), "steps": steps, "text": "\ud83d", "fine": 0.5})

    def modelled() -> dict[str, float]:
        return {"loss": float("nan")}

    app.router.add_api_route("/api/take", take, methods=["POST"], route_class_override=StrictRoute)
    app.router.add_api_route("/api/fail", fail, methods=["GET"])
    app.router.add_api_route("/api/numbers", numbers, methods=["GET"])
    app.router.add_api_route("/api/modelled", modelled, methods=["GET"])
    return signed_in(app)


def post(client, body: bytes, content_type: str = "application/json"):
    return client.post("/api/take", content=body, headers={"Content-Type": content_type})


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("ja", "ja"), ("ja-JP,en;q=0.5", "ja"), ("fr,ja;q=0.9", "ja"), ("en-US", "en"), ("de", "en"), ("", "en"),
        ("x" * 10_000, "en"), (",;=,,", "en"),
    ],
)  # fmt: skip
def test_the_words_are_in_the_callers_language(client, language, expected):
    answer = client.get("/api/nowhere", headers={"Accept-Language": language})
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["detail"].startswith(
        {"ja": "/api/nowhere はありません。", "en": "There is no /api/nowhere."}[expected]
    )
    assert {**problem, "detail": "", "hint": ""} == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "route_not_found",
        "params": {"path": "/api/nowhere"},
        "detail": "",
        "hint": "",
        "action": None,
    }
    assert problem["hint"]


def test_commands_do_not_say_where_the_server_lies(client):
    context = contextvars.copy_context()
    context.run(set_program, "/srv/env/bin/python -m llmlora")
    answer = context.run(client.get, "/api/fail?error=resumable")
    assert answer.json()["hint"] == 'Press "Resume" or "Continue" to go on.'
    assert answer.json()["action"] == {"name": "retry_job", "values": {}}


def test_one_callers_language_is_not_the_next_ones(client):
    japanese = client.get("/api/nowhere", headers={"Accept-Language": "ja"}).json()
    english = client.get("/api/nowhere").json()
    assert "ありません" in japanese["detail"]
    assert "There is no" in english["detail"]


def test_statuses_come_from_the_tree(client):
    assert client.get("/api/fail?error=memory").status_code == 507
    assert client.get("/api/fail?error=stopped").status_code == 409
    settings = client.get("/api/fail?error=settings", headers={"Accept-Language": "ja"})
    assert settings.status_code == 422
    assert settings.json()["problems"] == ["lora_dropout = 2: 1 より小さい値にしてください"]


def test_every_error_class_has_a_status_of_its_kind():
    def classes(root):
        return [root, *(found for child in root.__subclasses__() for found in classes(child))]

    statuses = {error.__name__: error.http_status for error in classes(LlmloraError)}
    assert {name for name, status in statuses.items() if status == 500} == {"LlmloraError", "RunError", "WorkerDied"}
    assert set(statuses.values()) == {400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 500, 503, 507}


def test_wrong_values_are_named_without_what_was_sent(client):
    answer = post(client, b'{"limit": "secret", "extra": 1}').json()
    assert answer["code"] == "request_invalid"
    assert answer["problems"] == [
        "body.name: is needed",
        "body.limit: must be a whole number",
        "body.extra: there is no field of this name",
    ]
    assert "secret" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"name": "a", "name": "b"}', "duplicate_key"),
        (b'{"name": NaN}', "not_finite"),
        (b'{"name": "a", "limit": Infinity}', "not_finite"),
        (b'{"name": "a", "limit": 1e999}', "not_finite"),
        (b'{"name": "a", "limit": ' + b"9" * 4301 + b"}", "number_too_large"),
        (b'{"name": "\\ud83d"}', "lone_surrogate"),
        (b'{"name": "a", "more": ' + b"[" * 65 + b"]" * 65 + b"}", "too_deep"),
        (b'{"name": "a", "more": ' + b"[" * 100_000, "too_deep"),
        (b'{"name": "a",}', "trailing_comma"),
        (b"{'name': 'a'}", "single_quotes"),
        (b'{"name": ', "unfinished_json"),
        (b'\xff\xfe{"name"', "body_not_utf8"),
        ('{"name": "あ"}'.encode("cp932"), "body_not_utf8"),
    ],
)
def test_bodies_that_are_no_strict_json(client, body, code):
    answer = post(client, body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.json()["hint"]


def test_the_line_of_the_mistake_is_told(client):
    assert post(client, b'{\n"name": "a",\n"name": "b"\n}').json()["params"]["line"] == 3


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_other_kinds_of_bodies(client, kind):
    assert post(client, b'{"name": "a"}', kind).status_code == 422


def test_a_strict_body_comes_through(client):
    body = json.dumps({"name": "あ\u3000😀", "limit": 3, "more": [[1]]}).encode()
    assert post(client, body, "application/json; charset=utf-8").json() == {
        "name": "あ\u3000😀",
        "limit": 3,
        "more": [[1]],
    }
    assert (
        post(client, b'{"name": "a", "more": ' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}").status_code
        == 200
    )


def test_numbers_that_are_none_are_null_and_named(client):
    answer = client.get("/api/numbers")
    assert answer.json() == {
        "loss": None,
        "nonfinite": {"loss": "nan"},
        "steps": [{"loss": None, "step": 1, "nonfinite": {"loss": "-inf"}}],
        "text": "?",
        "fine": 0.5,
    }
    assert client.get("/api/modelled").json() == {"loss": None, "nonfinite": {"loss": "nan"}}
