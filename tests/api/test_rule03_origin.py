"""R3: what changes something, and event streams, are refused to pages of another origin; GET changes nothing."""

import pytest

from api.clients import ORIGIN, TOKEN, browser, client_of, open_application, signed_in

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
FOREIGN = [
    {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:8001"},
    {"Origin": "https://127.0.0.1:8000"}, {"Origin": "http://localhost:8000"}, {"Origin": ""},
    {"Origin": f"{ORIGIN}.evil.example"}, {"Origin": f"{ORIGIN} "+"x"}, {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "Same-Origin"}, {"Sec-Fetch-Site": ""},
    {"Sec-Fetch-Site": "cross-site", "Origin": ORIGIN},
]  # fmt: skip
OWN = [{}, {"Origin": ORIGIN}, {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_foreign_pages_change_nothing(app, headers):
    client = browser(app)
    for method in UNSAFE:
        answer = client.request(method, "/api/presets", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "foreign_origin")
    assert client.get("/api/events", headers=headers).status_code == 403


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_also_where_no_token_is_asked_for(home, headers):
    answer = client_of(open_application()).post("/api/presets", headers=headers)
    assert answer.status_code == 403


@pytest.mark.parametrize("headers", OWN, ids=str)
def test_own_pages_and_programs_may(app, headers):
    answer = browser(app).post("/api/presets", headers=headers)
    assert answer.status_code == 405  # it came through to the router


def test_reading_is_left_to_the_browser(app):
    assert browser(app).get("/api/presets", headers={"Origin": "http://evil.example"}).status_code == 200


def test_a_bearer_token_needs_no_origin_but_only_without_a_cookie(app):
    foreign = {"Origin": "http://evil.example"}
    assert signed_in(app).post("/api/presets", headers=foreign).status_code == 405
    both = browser(app).post("/api/presets", headers={**foreign, "Authorization": f"Bearer {TOKEN}"})
    assert both.status_code == 403


def test_no_origin_gets_cors_headers(app):
    for origin in (ORIGIN, "http://evil.example"):
        preflight = signed_in(app, Origin=origin, **{"Access-Control-Request-Method": "POST"}).options("/api/presets")
        answer = signed_in(app, Origin=origin).get("/api/presets")
        for headers in (preflight.headers, answer.headers):
            assert not [name for name in headers if name.startswith("access-control-")]


def test_without_a_token_the_answer_is_401_wherever_it_comes_from(app):
    for headers in FOREIGN:
        assert client_of(app).post("/api/presets", headers=headers).status_code == 401


def test_two_origins_are_none_of_ours(app):
    client = browser(app)
    request = client.build_request("POST", "/api/presets", headers=[("Origin", ORIGIN), ("Origin", ORIGIN)])
    assert client.send(request).status_code == 403
