"""R5: every answer, also a refusal or a failure, tells the browser to run nothing foreign."""

import pytest

from api.clients import TOKEN, application, client_of, signed_in

HEADERS = {
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
}
POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
}


def assert_guarded(answer) -> None:
    assert {name: answer.headers[name] for name in HEADERS} == HEADERS
    policy = dict(part.strip().split(" ", 1) for part in answer.headers["content-security-policy"].split(";"))
    assert POLICY.items() <= policy.items()
    assert "server" not in answer.headers


@pytest.fixture
def broken_app(home):
    app = application()

    @app.get("/api/broken")
    def broken() -> None:
        raise RuntimeError("secret detail in /home/user/.ssh")

    return app


def test_every_kind_of_answer(app):
    client, stranger = signed_in(app), client_of(app)
    answers = [
        client.get("/"), client.get("/api/presets"), client.get("/metrics"), client.get("/nowhere"),
        client.post("/api/presets"), client.get("/api/openapi.json"), stranger.get("/api/presets"),
        stranger.get("/healthz"), stranger.get("/login"), stranger.get("/?token=x"), stranger.get(f"/?token={TOKEN}"),
        client_of(app, Host="evil.example").get("/"), client.post("/api/presets", content=b"x" * 100),
        client.post("/api/presets", headers={"Content-Length": "99999999999"}),
    ]  # fmt: skip
    for answer in answers:
        assert_guarded(answer)
    assert {answer.status_code for answer in answers} == {200, 303, 400, 401, 404, 405, 413}


def test_a_failure_shows_nothing(broken_app):
    answer = signed_in(broken_app).get("/api/broken")
    assert_guarded(answer)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_answers_of_the_api_are_not_kept(client):
    assert client.get("/api/presets").headers["cache-control"] == "no-store"


def test_pages_hold_no_script_and_no_foreign_address(app):
    for page in (client_of(app).get("/login").text, signed_in(app).get("/").text):
        assert "<script" not in page
        assert "http" not in page.replace("http-equiv", "")
