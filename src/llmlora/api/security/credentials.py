"""What proves that a request may pass (rule R1): a bearer token, or the cookie that the token was exchanged for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

GUESSES = 100  # wrong tokens from one address before it has to wait
GUESSES_PER_SECOND = 1.0
MAX_ADDRESSES = 4096
COOKIE_SECONDS = 30 * 24 * 3600


class Credentials:
    """The one token of a server. All comparisons take the same time, however much of a guess is right."""

    def __init__(self, token: str) -> None:
        self._digest = _digest(token)
        self._cookie = hmac.new(token.encode(), b"llmlora cookie", hashlib.sha256).hexdigest()

    def is_token(self, guess: str) -> bool:
        """Tell whether a guess is the token."""
        return secrets.compare_digest(_digest(guess), self._digest)

    def has_cookie(self, scope: Scope) -> bool:
        """Tell whether a request carries the cookie of this server."""
        headers = Headers(scope=scope)
        found = [cookie_parser(line).get(cookie_name(headers), "") for line in headers.getlist("cookie")]
        return any(secrets.compare_digest(value.encode("utf-8", "replace"), self._cookie.encode()) for value in found)

    def set_cookie(self, scope: Scope) -> str:
        """Return the value of the header that gives a browser the cookie."""
        flags = "HttpOnly; SameSite=Strict; Path=/" + ("; Secure" if scope["scheme"] == "https" else "")
        return f"{cookie_name(Headers(scope=scope))}={self._cookie}; Max-Age={COOKIE_SECONDS}; {flags}"


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def cookie_name(headers: Headers) -> str:
    """Return the cookie's name with the port in it, because browsers share cookies between the ports of a machine."""
    port = headers.get("host", "").rpartition(":")[2]
    return f"llmlora-{port if port.isascii() and port.isdigit() else 80}"


def bearer(scope: Scope) -> str | None:
    """Return the bearer token that a request carries, None without one."""
    kind, _, value = Headers(scope=scope).get("authorization", "").partition(" ")
    return value.strip() if kind.lower() == "bearer" else None


class Attempts:
    """How many wrong tokens each address may still send."""

    def __init__(self) -> None:
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # address -> (guesses left, at this time)

    def may_guess(self, address: str) -> bool:
        """Tell whether an address has a guess left."""
        return self._remaining(address) >= 1

    def failed(self, address: str) -> None:
        """Take a guess away."""
        self._left[address] = (self._remaining(address) - 1, time.monotonic())
        self._left.move_to_end(address)
        while len(self._left) > MAX_ADDRESSES:
            self._left.popitem(last=False)

    def _remaining(self, address: str) -> float:
        left, since = self._left.get(address, (float(GUESSES), time.monotonic()))
        return min(float(GUESSES), left + (time.monotonic() - since) * GUESSES_PER_SECOND)
