"""Errors below `/v1/`: one shape, whoever refuses, and statuses that clients of OpenAI's API understand."""

import json

import pytest

from api.clients import TOKEN, application, client_of, signed_in
from llmlora.api.openai_errors import openai_error, openai_status
from llmlora.api.problems import problem_of
from llmlora.core.errors import (
    BodyTooLarge,
    ConfigError,
    Conflict,
    DiskFull,
    InputError,
    LlmloraError,
    ModelFileError,
    ModelUnavailable,
    NotFound,
    OutOfMemory,
    TooManyRequests,
    Unauthorized,
    WorkerDied,
)

KEYS = {"message", "type", "param", "code"}
SHORT = {"needed_bytes": 10, "free_bytes": 5}
ERRORS = [
    (ConfigError("prompt_too_long", num_tokens=9, context_length=8), 400, "invalid_request_error"),
    (InputError("openai_field", param="n"), 400, "invalid_request_error"),
    (ModelFileError("gguf_no_template", path="x"), 400, "invalid_request_error"),
    (Conflict("job_wrong_status", id="a", status="b", action="c"), 400, "invalid_request_error"),
    (Unauthorized("wrong_token"), 401, "authentication_error"),
    (NotFound("model_not_askable", name="a", bundled="nano"), 404, "invalid_request_error"),
    (NotFound("route_not_found", path="/v1/x"), 404, "invalid_request_error"),
    (BodyTooLarge("body_too_large", limit_bytes=1), 413, "invalid_request_error"),
    (TooManyRequests("too_many_questions", limit=32), 429, "rate_limit_error"),
    (WorkerDied("internal", detail="x"), 500, "server_error"),
    (OutOfMemory("warm_memory_short", **SHORT), 503, "server_error"),
    (DiskFull("disk_full", path="x", free_bytes=1), 503, "server_error"),
    (ModelUnavailable("model_gave_way"), 503, "server_error"),
    (ModelUnavailable("server_stopping"), 503, "server_error"),
    (ModelUnavailable("model_process_died", exit_code=-9), 503, "server_error"),
]


@pytest.mark.parametrize(("error", "status", "kind"), ERRORS, ids=lambda value: getattr(value, "code", None))
def test_status_and_type(error: LlmloraError, status: int, kind: str):
    assert openai_status(error) == status
    found = openai_error(error, problem_of(error))["error"]
    assert set(found) == KEYS
    assert found["type"] == kind
    problem = problem_of(error)
    assert problem["detail"] in found["message"]
    assert problem["hint"] in found["message"]


@pytest.mark.parametrize(
    ("error", "code", "param"),
    [
        (NotFound("model_not_askable", name="a", bundled="nano"), "model_not_found", "model"),
        (NotFound("job_not_finished", path="x"), "job_not_finished", "model"),
        (NotFound("export_not_finished", path="x"), "export_not_finished", "model"),
        (ConfigError("prompt_too_long", num_tokens=9, context_length=8), "context_length_exceeded", None),
        (InputError("openai_field", param="tools"), "openai_field", "tools"),
        (Unauthorized("not_signed_in"), "invalid_api_key", None),
        (Unauthorized("wrong_token"), "invalid_api_key", None),
    ],
)
def test_code_and_field(error: LlmloraError, code: str, param: str | None):
    found = openai_error(error, problem_of(error))["error"]
    assert (found["code"], found["param"]) == (code, param)


def answers(client):
    """Return an answer of everybody who may refuse a request, with the status it has below `/v1/`."""
    good = {"model": "nano", "messages": [{"role": "user", "content": "a"}]}
    json_type = {"Content-Type": "application/json"}
    return [
        (client.get("/v1/nowhere"), 404),
        (client.post("/v1/embeddings", json={"model": "nano", "input": "a"}), 404),
        (client.get("/v1/models/none"), 404),
        (client.get("/v1/chat/completions"), 405),
        (client.delete("/v1/models/nano"), 405),
        (client.post("/v1/chat/completions", json={}), 400),
        (client.post("/v1/chat/completions", content=b"{", headers=json_type), 400),
        (client.post("/v1/chat/completions", content=b'{"model": "a", "model": "b"}', headers=json_type), 400),
        (client.post("/v1/chat/completions", content=b"\xff", headers=json_type), 400),
        (client.post("/v1/chat/completions", json=good | {"model": "none"}), 404),
        (client.post("/v1/chat/completions", json=good | {"n": 3}), 400),
        (client.post("/v1/completions", json={"model": "nano", "prompt": "a", "temperature": 9}), 400),
        (client.post("/v1/completions", headers={"Content-Length": str(1 << 40)}), 413),
    ]


def test_whoever_refuses_uses_the_shape(client):
    for answer, status in answers(client):
        where = f"{answer.request.method} {answer.request.url} {answer.text}"
        assert answer.status_code == status, where
        assert set(answer.json()) == {"error"}, where
        assert set(answer.json()["error"]) == KEYS, where
        assert answer.headers["content-type"] == "application/json", where
        assert answer.headers["x-content-type-options"] == "nosniff", where


def test_without_or_with_a_wrong_key(app):
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}):
        answer = client_of(app, **headers).get("/v1/models")
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
        assert answer.headers["www-authenticate"] == "Bearer"


def test_foreign_pages_and_names_are_refused_in_the_shape(app):
    foreign = signed_in(app, Origin="http://evil.example", Cookie="a=b", **{"Sec-Fetch-Site": "cross-site"})
    answer = foreign.post("/v1/completions", json={"model": "nano", "prompt": "a"})
    assert (answer.status_code, set(answer.json()["error"])) == (403, KEYS)
    other = signed_in(app, Host="evil.example").get("/v1/models")
    assert (other.status_code, set(other.json()["error"])) == (400, KEYS)


def test_beside_it_errors_stay_problem_documents(client):
    for path in ("/api/nowhere", "/v1x/models", "/v2/models"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json", path


def test_the_words_are_the_callers(client):
    answer = client.post("/v1/completions", json={"model": "none", "prompt": "a"}, headers={"Accept-Language": "ja"})
    assert "質問できるモデル「none」はありません" in answer.json()["error"]["message"]


def test_a_field_that_is_wrong_is_named_with_what_it_may_be():
    app = application()
    try:
        wrong = {"model": "nano", "prompt": "a", "temperature": 9, "max_tokens": 0}
        error = signed_in(app).post("/v1/completions", json=wrong).json()["error"]
        assert error["param"] == "temperature"
        assert "max_tokens" in error["message"]
        assert "9" not in json.dumps(error["param"])
    finally:
        app.state.warm_models.wait_closed()
        app.state.platform.close()


@pytest.mark.parametrize(
    ("path", "wish", "param"),
    [
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        (
            "/v1/chat/completions",
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages.0.content.0.text",
        ),
        ("/v1/completions", {"prompt": {"a": 1}}, "prompt"),
        ("/v1/completions", {"prompt": "a", "stop": 7}, "stop"),
    ],
)
def test_a_value_that_may_be_of_several_kinds_is_one_field(client, path, wish, param):
    error = client.post(path, json={"model": "nano", **wish}).json()["error"]
    assert error["param"] == param
    assert "constrained" not in error["message"] and error["message"].count(param) == 1
