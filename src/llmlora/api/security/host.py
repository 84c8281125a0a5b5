"""Rule R2: only requests to a name of this server are answered, so that DNS rebinding leads a page nowhere."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from llmlora.api.problems import send_problem
from llmlora.core.errors import BadRequest

_HOST = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<name>[A-Za-z0-9._-]{1,253}))(?::(?P<port>[0-9]{1,5}))?")
_LOCAL = re.compile(r"(?:[a-z0-9_-]+\.)*localhost")


class HostGuard:
    """The outermost middleware, also with the token switched off."""

    def __init__(self, app: ASGIApp, allowed: Iterable[str] = ()) -> None:
        self.app = app
        self.allowed = {name.lower() for name in (*allowed, socket.gethostname()) if name}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 400 to a request that is not for us."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # none is served
        elif not self.is_ours([value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]):
            await send_problem(scope, receive, send, BadRequest("bad_host"))
        else:
            await self.app(scope, receive, send)

    def is_ours(self, hosts: list[str]) -> bool:
        """Tell whether exactly one Host is sent, and it is an address, a local name or one that is allowed."""
        found = _HOST.fullmatch(hosts[0]) if len(hosts) == 1 else None
        if found is None or int(found["port"] or 1) not in range(1, 65536):
            return False
        if found["six"] is not None:
            return _is_address(found["six"])
        name = found["name"].lower()
        return name in self.allowed or _LOCAL.fullmatch(name) is not None or _is_address(name)


def _is_address(text: str) -> bool:
    """Tell whether a text is an IP address as people write it; an IPv4 address dressed as IPv6 is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not (isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None)
