"""Gate S8: every operation of the API, asked in every way that is not allowed, is refused before it does anything."""

from __future__ import annotations

import re

import pytest
from fastapi.testclient import TestClient

from api.clients import ORIGIN, TOKEN, browser, nothing_left, signed_in
from api.test_hostile_requests import without_probes
from api.test_rule03_origin import FOREIGN
from api.test_rule04_deny import filled, flat_routes
from llmlora.api.security.access import OPEN_PATHS, SIGN_IN_PATH
from llmlora.api.security.origin import SAFE_METHODS, STREAM_PATHS

WRONG = (
    {}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "}, {"Authorization": f"Basic {TOKEN}"},
    {"Authorization": TOKEN}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": f"Bearer {TOKEN[:-1]}"},
    {"Cookie": f"llmlora-8000={TOKEN}"}, {"Cookie": f"llmlora-8000={'0' * 64}"},
)  # fmt: skip
HOSTS = (
    "evil.example", "", "localhost.evil.com", "127.0.0.1.nip.io", "[::ffff:7f00:1]", "localhost.", "127.0.0.1.",
    "2130706433", "0177.0.0.1", "user@localhost", "evil.example:8000", "localhost, evil.example",
)  # fmt: skip
SAMPLE = 1  # of each kind in every test run; all of them in the gate
METHODS = {"get", "head", "post", "put", "patch", "delete"}


def some(values):
    """Return values as parameters: the first ones for every run, the others for the gate."""
    return [
        pytest.param(value, marks=[pytest.mark.gate] if at >= SAMPLE else [], id=str(value))
        for at, value in enumerate(values)
    ]


def operations(app):
    """Return (method, path) of every operation of the document and of every route beside it, with values in paths."""
    document = [
        (method.upper(), filled(path))
        for path, methods in app.openapi()["paths"].items()
        for method in methods
        if method in METHODS
    ]
    routes = [
        (method, filled(route.path))
        for route in flat_routes(app.routes)
        for method in getattr(route, "methods", None) or ("GET",)
    ]
    return sorted({(method, path) for method, path in [*document, *routes] if path not in {*OPEN_PATHS, SIGN_IN_PATH}})


def answers_to(client, app, headers):
    """Return status and code of every operation that is asked with these headers."""
    for method, path in operations(app):
        answer = client.request(method, path, headers=headers)
        code = None if method == "HEAD" else answer.json().get("code") or answer.json()["error"]["code"]
        yield (method, path), answer.status_code, code


def test_the_walk_meets_every_operation(app):
    found = operations(app)
    assert len(found) > 100
    assert {("HEAD", "/api/uploads/nano"), ("DELETE", "/api/datasets/nano"), ("POST", "/v1/completions")} <= set(found)
    assert not [path for _, path in found if re.search(r"[{}]", path)]


@pytest.mark.parametrize("headers", some(WRONG))
def test_without_the_token(app, home, headers):
    with nothing_left(home):
        for asked, (method, path) in enumerate(operations(app)):  # each from elsewhere: wrong guesses are counted
            stranger = TestClient(app, base_url=ORIGIN, client=(f"10.0.0.{asked}", 1), follow_redirects=False)
            answer = stranger.request(method, path, headers=headers)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("host", some(HOSTS))
def test_with_a_foreign_host(app, home, host):
    with nothing_left(home):
        for operation, *found in answers_to(signed_in(app), app, {"Host": host}):
            assert found[0] == 400 and found[1] in ("bad_host", None), operation


@pytest.mark.parametrize("headers", some(FOREIGN))
def test_from_a_foreign_page(app, home, headers):
    client = browser(app)
    with nothing_left(home):
        for method, path in operations(app):
            if method in SAFE_METHODS and path not in STREAM_PATHS:
                continue
            answer = client.request(method, path, headers=headers)
            assert (answer.status_code, answer.json().get("code", "foreign_origin")) == (403, "foreign_origin"), path


def test_what_a_foreign_page_may_ask_for_it_cannot_read(app, home, monkeypatch):
    """A browser that follows a link to us answers, but no page of another origin gets to see it."""
    without_probes(monkeypatch)
    client = browser(app)
    for method, path in operations(app):
        if method not in SAFE_METHODS or path in STREAM_PATHS:
            continue
        answer = client.request(method, path, headers={"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"})
        assert answer.status_code < 500 or answer.status_code == 503, path
        assert answer.headers["cross-origin-resource-policy"] == "same-origin", path
        assert not [name for name in answer.headers if name.startswith("access-control-")], path
