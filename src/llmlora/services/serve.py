"""Serve a workspace over HTTP until a stop comes; jobs are processes of their own and go on."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress

from llmlora.core.server import ServerSettings, use_server_settings
from llmlora.services.http_server import http_server, listening_socket
from llmlora.services.launch import remove_left_scratch
from llmlora.services.platform import Platform, use_platform
from llmlora.services.server_log import log_config
from llmlora.services.token import server_token
from llmlora.services.workspace_lock import workspace_lock

LOOPBACK = "127.0.0.1"
OnReady = Callable[[str, str | None, str | None], None]


def serve(settings: ServerSettings, on_ready: OnReady) -> None:
    """Serve until SIGTERM or Ctrl-C.

    `on_ready` gets the address and the token once requests are answered, and the address where Ollama's protocol is
    spoken (None: nowhere).

    Raises:
        Conflict: `server_running` for a workspace that has a server, `port_taken`.
        ConfigError: `token_missing`. ResourceError: the workspace or the address cannot be used.
        Conflict, ConfigError, DependencyError, DiskFull: those of `open_store`.
    """
    with workspace_lock() as lock, ExitStack() as stack:
        remove_left_scratch()
        token = server_token(settings)
        sockets = [stack.enter_context(closing(listening_socket(settings.host, settings.port)))]
        url, ollama_url = _url(settings.host, sockets[0]), None
        if settings.ollama_port is not None:  # without a token, so on this machine only, wherever the rest listens
            sockets.append(stack.enter_context(closing(listening_socket(LOOPBACK, settings.ollama_port))))
            ollama_url = _url(LOOPBACK, sockets[1])
            settings = settings.with_ollama_port(_port(sockets[1]))
        platform = stack.enter_context(closing(Platform()))

        def ready() -> None:
            lock.tell(url, platform.database.dialect.place)
            on_ready(url, token, ollama_url)

        platform.open()  # what is wrong with the index is said before anything is answered
        use_server_settings(settings)
        use_platform(platform)
        with suppress(KeyboardInterrupt):  # uvicorn raises the stop again once it has ended
            http_server(log_config(token), ready).run(sockets=sockets)


def _url(host: str, listener: socket.socket) -> str:
    """Return an address that works on this machine, also for a server that listens everywhere."""
    name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{name}:{_port(listener)}"


def _port(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])
