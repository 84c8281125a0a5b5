"""Rule R3: what changes something, and event streams, are refused to pages of another origin."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from llmlora.api.problems import send_problem
from llmlora.core.errors import Forbidden

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
STREAM_PATHS = {"/api/events"}
OWN_SITES = {"same-origin", "none"}  # not same-site: that is another port of this machine, too


class OriginGuard:
    """Stands behind the token, so that a request without one is 401 wherever it comes from."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 403 to a request that a foreign page has made."""
        if scope["type"] == "http" and _matters(scope) and not is_own_page(scope):
            await send_problem(scope, receive, send, Forbidden("foreign_origin"))
        else:
            await self.app(scope, receive, send)


def _matters(scope: Scope) -> bool:
    return scope["method"] not in SAFE_METHODS or scope["path"] in STREAM_PATHS


def is_own_page(scope: Scope) -> bool:
    """Tell whether our own page, or no browser at all, has made a request.

    A bearer token without a cookie cannot be sent by a foreign page, so it needs no further proof.
    """
    headers = Headers(scope=scope)
    if headers.get("authorization", "").lower().startswith("bearer ") and "cookie" not in headers:
        return True
    sites, origins = headers.getlist("sec-fetch-site"), headers.getlist("origin")
    if sites:
        return len(sites) == 1 and sites[0] in OWN_SITES
    own = f"{scope['scheme']}://{headers.get('host', '')}"
    return not origins or origins == [own]
