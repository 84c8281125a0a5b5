"""uvicorn as llmlora runs it: tells when it listens, ends event streams at a stop, drops silent connections."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from llmlora.core.errors import Conflict, ResourceError

APP = "llmlora.api.app:create_app"
HEADER_SECONDS = 20  # for the head of a request, from the first byte or from the end of the answer before
STOP_SECONDS = 5  # for answers that are being written when a stop comes
MAX_CONNECTIONS = 512
STREAMS = ("broadcaster", "warm_models")  # what the application calls in its state what has answers without an end


class PatientProtocol(H11Protocol):
    """HTTP/1.1 that does not wait for ever for the head of a request."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock with the connection."""
        super().connection_made(transport)
        self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def data_received(self, data: bytes) -> None:
        """Stop the clock when a request is complete enough to be worked on; else start it, once."""
        super().data_received(data)
        is_working = self.cycle is not None and not self.cycle.response_complete
        if is_working:
            self._stop_clock()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock with the connection."""
        self._stop_clock()
        super().connection_lost(exc)

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        self._deadline = None
        if self.cycle is None or self.cycle.response_complete:
            self.transport.abort()


class HttpServer(uvicorn.Server):
    """One server on one listening socket."""

    def __init__(self, config: uvicorn.Config, on_ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell it."""
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams and the answers of models, which may have no end, then wait for the other answers."""
        for name in STREAMS:
            streams = self.lifespan.state.get(name)
            if streams is not None:
                streams.close()
        await super().shutdown(sockets)


def http_server(log_config: dict[str, Any], on_ready: Callable[[], None]) -> HttpServer:
    """Return the server of the application; it trusts no proxy header and speaks no WebSocket."""
    return HttpServer(
        uvicorn.Config(
            APP,
            factory=True,
            http=PatientProtocol,
            ws="none",
            loop="asyncio",
            log_config=log_config,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=STOP_SECONDS,
            limit_concurrency=MAX_CONNECTIONS,
        ),
        on_ready,
    )


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0 means any free one.

    Raises:
        Conflict: `port_taken`. ResourceError: `address_unusable`, this machine has no such address.
    """
    place = {"host": host, "port": port}
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ResourceError("address_unusable", **place, detail=error.strerror or str(error)) from error
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        raise _not_bound(error, place) from error
    return found


def _not_bound(error: OSError, place: dict[str, Any]) -> Conflict | ResourceError:
    if error.errno == errno.EADDRINUSE:
        return Conflict("port_taken", **place)
    return ResourceError("address_unusable", **place, detail=error.strerror or str(error))
