"""Requests that break other servers are answered with what is wrong with them; nothing is ever a 500."""

import random

import pytest

from api.clients import application, client_of, signed_in
from llmlora.api import limits
from llmlora.api.limits import BodyLimits

QUERIES = ["limit=" + "9" * 30, "token=%ff", "a[]=1&a[]=2", "%00=%00", "&" * 5000, "limit=-1", "limit=NaN"]


@pytest.mark.parametrize("query", QUERIES)
def test_queries(client, query):
    assert client.get(f"/api/presets?{query}").status_code in (200, 422)


def test_odd_methods(client):
    for method in ("TRACE", "CONNECT", "BREW", "X" * 1000):
        answer = client.request(method, "/api/presets")
        assert answer.status_code in (403, 405), method


def test_bodies_that_are_too_large(home, monkeypatch):
    app = application()
    guard = next(item for item in app.user_middleware if item.cls is BodyLimits)
    guard.kwargs["max_bytes"] = 1000
    client = signed_in(app)
    announced = client.post("/api/presets", content=b"x" * 1001)
    assert (announced.status_code, announced.json()["code"]) == (413, "body_too_large")
    assert announced.json()["params"] == {"limit_bytes": 1000}
    lying = client.post("/api/presets", content=b"x", headers={"Content-Length": "-5"})
    assert lying.status_code == 405


async def drained(limit: int | None, pieces: list[bytes], silent_seconds: float = 30.0) -> int:
    import asyncio

    async def receive():
        if not pieces:
            await asyncio.sleep(60)
        body = pieces.pop(0)
        return {"type": "http.request", "body": body, "more_body": True}

    body = limits._Body(receive, limit, silent_seconds)
    while True:
        await body.receive()


def test_a_body_that_grows_without_a_length(home):
    import asyncio

    from llmlora.core.errors import BodyTooLarge, RequestTimeout

    with pytest.raises(BodyTooLarge):
        asyncio.run(drained(10, [b"x" * 6] * 9))
    with pytest.raises(RequestTimeout):
        asyncio.run(drained(None, [b"x" * 6] * 3, silent_seconds=0.05))


def test_headers_of_any_kind(app):
    for name, value in (
        ("Accept-Language", "\x01"), ("Last-Event-ID", "x" * 5000), ("Cookie", "=;=;" * 1000),
        ("Authorization", "Bearer"),
        ("Authorization", b"\xff\xfe"), ("Content-Type", "application/json; charset=\x00"), ("Origin", b"\xff"),
        ("Content-Length", "1e3"), ("Accept", "x" * 5000),
    ):  # fmt: skip
        for client in (client_of(app), signed_in(app)):
            answer = client.get("/api/presets", headers={name: value})
            assert answer.status_code in (200, 401), (name, value)


def test_noise(app):
    """2,000 requests put together at random: known answers only."""
    dice = random.Random(4)
    client = signed_in(app)
    parts = [
        "api",
        "presets",
        "models",
        "check",
        "..",
        "%2e",
        "",
        "%00",
        "日本",
        "a" * 300,
        "events;x",
        "?",
        "healthz",
        "%",
    ]
    bodies = [b"", b"{}", b"[" * 2000, b'{"a":1', b"\x00\xff", b"a=b", b"--x\r\n"]
    kinds = [
        "application/json",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/x-www-form-urlencoded",
        "x",
    ]
    for _ in range(2000):
        path = "/" + "/".join(dice.choices(parts, k=dice.randrange(5)))
        method = dice.choice(["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
        headers = {"Content-Type": dice.choice(kinds), "Accept": dice.choice(["*/*", "text/html"])}
        answer = client.request(method, path, content=dice.choice(bodies), headers=headers)
        assert answer.status_code in (200, 303, 400, 404, 405, 422), (method, path, answer.text)
