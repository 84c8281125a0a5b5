"""Connections that fall silent are closed; a stop ends what has no end of its own."""

import asyncio
from contextlib import suppress

from llmlora.services import http_server
from llmlora.services.http_server import APP, HttpServer
from llmlora.services.http_server import http_server as make_server


def test_the_application_is_named_not_imported():
    assert APP == "llmlora.api.app:create_app"
    config = make_server({"version": 1, "disable_existing_loggers": False}, lambda: None).config
    assert (config.app, config.factory, config.ws, config.proxy_headers) == (APP, True, "none", False)


async def answer(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def serving(scenario):
    """Run a scenario against a server with the tiny application above."""
    config = http_server.uvicorn.Config(
        answer, port=0, http=http_server.PatientProtocol, ws="none", lifespan="off", log_config=None
    )
    ready = asyncio.Event()
    server = HttpServer(config, ready.set)
    server.lifespan = None
    listener = http_server.socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = asyncio.ensure_future(server._serve([listener]))
    try:
        await asyncio.wait_for(ready.wait(), 10)
        await scenario(port)
    finally:
        server.should_exit = True
        await asyncio.wait_for(running, 10)


async def until_closed(port: int, *pieces: bytes, pause: float = 0.0) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(pause)
    found = b""
    with suppress(ConnectionError):
        found = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    return found


GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


def test_silent_and_dripping_connections_are_dropped(monkeypatch):
    monkeypatch.setattr(http_server, "HEADER_SECONDS", 0.3)

    async def scenario(port):
        loop = asyncio.get_running_loop()
        for pieces in ((), (b"GET / HT",), [b"X-%d: 1\r\n" % number for number in range(10)]):
            began = loop.time()
            found = await until_closed(port, *([GET] if len(pieces) > 1 else []), *pieces, pause=0.06)
            assert not found.startswith(b"HTTP/1.1 200")
            assert loop.time() - began < 3

    asyncio.run(serving(scenario))


def test_the_second_request_of_a_connection_may_not_drip_either(monkeypatch):
    monkeypatch.setattr(http_server, "HEADER_SECONDS", 0.3)

    async def scenario(port):
        found = await until_closed(port, GET + b"\r\n", b"GET / HT", pause=0.1)
        assert found.count(b"HTTP/1.1 200") == 1

    asyncio.run(serving(scenario))


def test_an_ordinary_request_is_not_hurried(monkeypatch):
    monkeypatch.setattr(http_server, "HEADER_SECONDS", 0.3)

    async def scenario(port):
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nConnection: close\r\n\r\n"
        found = await until_closed(port, head, b"ab", b"cd", pause=0.4)  # a slow body is somebody else's business
        assert b"HTTP/1.1 200" in found

    asyncio.run(serving(scenario))
