"""R4: everything is refused without the token but one short list; a new route is refused from the start."""

import re

import pytest
from fastapi.routing import APIRoute

from api.clients import client_of, signed_in
from llmlora.api.app import OPENAPI_PATH
from llmlora.api.security.access import OPEN_PATHS, SIGN_IN_PATH

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def every_path(app):
    """Return every path of the routes and of the OpenAPI document, with a value for each parameter."""
    paths = {route.path for route in flat_routes(app.routes)} | set(app.openapi()["paths"])
    return sorted({filled(path) for path in paths})


def filled(path):
    """Return a path with a value for each of its parameters."""
    return re.sub(r"\{(name:path|page:path|name|level|[a-z]+_id|row)\}", "nano", path)


def flat_routes(routes):
    for route in routes:
        if hasattr(route, "path"):
            yield route
        yield from flat_routes(getattr(getattr(route, "original_router", None), "routes", ()))


def test_the_walk_sees_the_routes(app):
    paths = every_path(app)
    assert {"/api/events", "/api/system-info", "/api/models/check/nano", "/metrics", OPENAPI_PATH} <= set(paths)
    assert any(isinstance(route, APIRoute) for route in flat_routes(app.routes))
    assert not [path for path in paths if "{" in path], "give the new parameter a value in every_path"


def test_every_route_needs_the_token(app):
    stranger = client_of(app)
    guesser = client_of(app, Authorization="Bearer wrong")
    for path in every_path(app):
        for method in METHODS:
            expected = {200, 405} if path in OPEN_PATHS else {401}
            assert stranger.request(method, path).status_code in expected, (method, path)
        assert guesser.get(path).status_code in ({200} if path in OPEN_PATHS else {401}), path


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/api/nowhere", "/docs", "/redoc", "/openapi.json", "/healthz/", "//healthz",
     "/healthz/../api/presets", "/%2e%2e/etc/passwd", "/login/x", "/Healthz", "/healthz%00", "/healthz;x"],
)  # fmt: skip
def test_also_what_does_not_exist(app, path):
    assert client_of(app).get(path).status_code == 401
    assert signed_in(app).get(path).status_code in (200, 404)


def test_the_open_list_is_short():
    assert sorted(OPEN_PATHS) == ["/healthz", "/sign-in.css"]
    assert SIGN_IN_PATH == "/login"
