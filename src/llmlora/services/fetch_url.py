"""Get a file from an address that came with a request: https only, from no private address, with a limit on everything.

Rule R10: a name is resolved once and refused unless all of its addresses are public; the connection goes to the address
that was looked at. Each redirect is looked at in the same way.
"""

from __future__ import annotations

import http.client
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urljoin, urlsplit

from llmlora.core.errors import DependencyError, InputError
from llmlora.core.layout import uploads_dir
from llmlora.core.publish import disk_errors
from llmlora.core.temporary import own_temporary
from llmlora.services.kept_datasets import NewDataset, keep_path
from llmlora.services.room import require_room
from llmlora.store.database import Database
from llmlora.store.datasets import DatasetRow

MAX_BYTES: Final = 2 << 30
SECONDS: Final = 30.0
MAX_REDIRECTS: Final = 3
MAX_CHARACTERS: Final = 2000
PORT: Final = 443
REDIRECTS: Final = (301, 302, 303, 307, 308)
# Global by the tables, but they hold IPv4 addresses of any kind: NAT64 and 6to4
DISGUISED: Final = tuple(map(ipaddress.ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")))
HOST: Final = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?(?:\.[A-Za-z0-9_-]+)*")
ADDRESS: Final = re.compile(r"[0-9A-Fa-f:.]+")


@dataclass(frozen=True)
class Target:
    """What to ask for, taken apart once: the same parts are checked and used."""

    host: str
    path: str

    @property
    def url(self) -> str:
        """Return the address that redirects are relative to."""
        return f"https://{self.host}{self.path}"


def _resolve(host: str) -> list[str]:
    return [str(found[4][0]) for found in socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)]


def _connect(address: str, seconds: float) -> socket.socket:
    return socket.create_connection((address, PORT), seconds)


@dataclass(frozen=True)
class Network:
    """How names are resolved and connections made."""

    resolve: Callable[[str], list[str]] = _resolve
    connect: Callable[[str, float], socket.socket] = _connect
    context: ssl.SSLContext = field(default_factory=ssl.create_default_context)


def keep_url(database: Database, url: str, new: NewDataset, network: Network | None = None) -> DatasetRow:
    """Make a dataset of the file at an address; errors as of `fetch` and `keep_file`."""
    folder = uploads_dir(database.home)
    folder.mkdir(parents=True, exist_ok=True)
    require_room(folder, 0)
    with own_temporary(folder / "fetched") as path:
        fetch(url, path, network)
        return keep_path(database, new, path)


def fetch(url: str, path: Path, network: Network | None = None, max_bytes: int = MAX_BYTES) -> None:
    """Write what lies at an address to a file.

    Raises:
        InputError: `url_refused`, `url_private`, `url_too_large`. DependencyError: `url_unreachable`, `url_answered`.
        DiskFull.
    """
    network = network or Network()
    target, deadline = target_of(url), time.monotonic() + SECONDS
    for _ in range(MAX_REDIRECTS + 1):
        following = _get(target, path, network, deadline, max_bytes)
        if following is None:
            return
        target = target_of(following)
    raise DependencyError("url_answered", host=target.host, status="redirect")


def target_of(url: str) -> Target:
    """Take an address apart; raise InputError for one that is not plainly https://host/path."""
    if len(url) > MAX_CHARACTERS or not url.isascii() or not url.isprintable() or set(url) & set(" \\#"):
        raise InputError("url_refused")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise InputError("url_refused") from None
    is_plain = parts.scheme == "https" and "@" not in parts.netloc and port in (None, PORT)
    if not is_plain or not (HOST.fullmatch(host) or (":" in host and ADDRESS.fullmatch(host))):
        raise InputError("url_refused")
    query = f"?{parts.query}" if parts.query else ""
    return Target(f"[{host}]" if ":" in host else host, f"{parts.path or '/'}{query}")


def is_public(address: str) -> bool:
    """Tell whether an address belongs to the open internet, in whatever form it is written."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in DISGUISED)


class _Pinned(http.client.HTTPSConnection):
    """A connection to the address that was looked at, and to no other."""

    def __init__(self, target: Target, address: str, network: Network, seconds: float) -> None:
        super().__init__(target.host, PORT, timeout=seconds, context=network.context)
        self._address = address
        self._network = network

    def connect(self) -> None:
        """Open the connection; the certificate has to be that of the name."""
        plain = self._network.connect(self._address, self.timeout or SECONDS)
        try:
            self.sock = self._network.context.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise


def _get(target: Target, path: Path, network: Network, deadline: float, max_bytes: int) -> str | None:
    """Write an answer to a file, or return where it sends us."""
    try:
        addresses = network.resolve(target.host.strip("[]"))
        if not addresses or not all(map(is_public, addresses)):
            raise InputError("url_private", host=target.host)
        connection = _Pinned(target, addresses[0], network, max(0.1, deadline - time.monotonic()))
        headers = {"User-Agent": "llmlora", "Accept-Encoding": "identity", "Connection": "close"}
        with closing(connection):
            connection.request("GET", target.path, headers=headers)
            return _taken(connection.getresponse(), path, target, deadline, max_bytes)
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        raise DependencyError("url_unreachable", host=target.host, detail=str(error)[:200]) from error


def _taken(answer: http.client.HTTPResponse, path: Path, target: Target, deadline: float, max_bytes: int) -> str | None:
    with answer:
        location = answer.getheader("Location")
        if answer.status in REDIRECTS and location:
            return urljoin(target.url, location)
        if answer.status != 200 or answer.getheader("Content-Encoding", "identity") != "identity":
            raise DependencyError("url_answered", host=target.host, status=answer.status)
        _save(answer, path, target, deadline, max_bytes)
    return None


def _save(answer: http.client.HTTPResponse, path: Path, target: Target, deadline: float, max_bytes: int) -> None:
    size, announced = 0, answer.length
    with disk_errors(path.parent), path.open("wb") as stream:
        while piece := answer.read1(1 << 16):
            size += len(piece)
            if size > max_bytes:
                raise InputError("url_too_large", host=target.host, limit_bytes=max_bytes)
            if time.monotonic() > deadline:
                raise DependencyError("url_unreachable", host=target.host, detail=f"{SECONDS:.0f} s")
            stream.write(piece)
    if announced is not None and size != announced:
        raise DependencyError("url_unreachable", host=target.host, detail=f"{size} / {announced} bytes")
