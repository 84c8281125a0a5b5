"""Rules R1 and R4: everything needs the token but what stands in one short list; routing comes after this."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from llmlora.api.pages import STYLE_PATH, sign_in_page
from llmlora.api.problems import SECURITY_HEADERS, send_problem, take_language
from llmlora.api.security.credentials import Attempts, Credentials, bearer
from llmlora.api.security.origin import is_own_page
from llmlora.core.errors import LlmloraError, TooManyRequests, Unauthorized

OPEN_PATHS = {"/healthz", STYLE_PATH}
SIGN_IN_PATH = "/login"
API_PATHS = ("/api/", "/v1/", "/metrics")
MAX_FORM_BYTES = 4096
RETRY_SECONDS = "1"
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class AccessGuard:
    """Lets a request pass that carries the token or its cookie; without credentials there is no token to ask for."""

    def __init__(self, app: ASGIApp, credentials: Credentials | None) -> None:
        self.app = app
        self.credentials = credentials
        self.attempts = Attempts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 401 to everybody else, 429 to who guesses too often."""
        if scope["type"] != "http" or scope["path"] in OPEN_PATHS or self.credentials is None:
            await self.app(scope, receive, send)
            return
        if scope["path"] == SIGN_IN_PATH:
            await self._sign_in(scope, receive, send, self.credentials)
        elif scope["path"] == "/" and "token" in _query(scope) and scope["method"] == "GET":
            await self._exchange(scope, receive, send, self.credentials, _query(scope)["token"][0])
        elif self.credentials.has_cookie(scope):
            await self.app(scope, receive, send)
        else:
            refusal = self._refusal(scope, bearer(scope), self.credentials)
            await (self.app(scope, receive, send) if refusal is None else _refuse(scope, receive, send, refusal))

    async def _sign_in(self, scope: Scope, receive: Receive, send: Send, credentials: Credentials) -> None:
        """Show the form, or take the token that was typed into it."""
        if scope["method"] != "POST":
            await _show_form(scope, receive, send, 200)
        elif not is_own_page(scope):
            await _show_form(scope, receive, send, 403)
        else:
            form = parse_qs((await _small_body(receive)).decode("utf-8", "replace"))
            await self._exchange(scope, receive, send, credentials, form.get("token", [""])[0].strip())

    async def _exchange(self, scope: Scope, receive: Receive, send: Send, credentials: Credentials, guess: str) -> None:
        """Give a browser the cookie and take the token out of its address bar."""
        refusal = self._refusal(scope, guess, credentials)
        if refusal is not None:
            await _show_form(scope, receive, send, refusal.http_status, is_wrong=True)
            return
        rest = {name: values for name, values in _query(scope).items() if name != "token"}
        target = f"/?{urlencode(rest, doseq=True)}" if rest else "/"
        headers = {**SECURITY_HEADERS, "Location": target, "Set-Cookie": credentials.set_cookie(scope)}
        await Response(status_code=303, headers={**headers, "Cache-Control": "no-store"})(scope, receive, send)

    def _refusal(self, scope: Scope, guess: str | None, credentials: Credentials) -> LlmloraError | None:
        """Return why a guess does not open the door, None if it does. A foreign page's guesses do not count as ours."""
        if guess is None:
            return Unauthorized("not_signed_in")
        address = str((scope.get("client") or ("?",))[0])
        if not self.attempts.may_guess(address):
            return TooManyRequests("too_many_guesses")
        if credentials.is_token(guess):
            return None
        if Headers(scope=scope).get("sec-fetch-site") not in ("cross-site", "same-site"):
            self.attempts.failed(address)
        return Unauthorized("wrong_token")


def _query(scope: Scope) -> dict[str, list[str]]:
    return parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)


async def _small_body(receive: Receive) -> bytes:
    """Return a body, cut off where it is too long to be the form's."""
    body = b""
    while len(body) <= MAX_FORM_BYTES:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
    return body[:MAX_FORM_BYTES]


async def _refuse(scope: Scope, receive: Receive, send: Send, refusal: LlmloraError) -> None:
    """Answer a person who opens a page with the form, a program with the error."""
    is_page = "text/html" in Headers(scope=scope).get("accept", "") and scope["method"] == "GET"
    if is_page and not scope["path"].startswith(API_PATHS):
        await _show_form(scope, receive, send, refusal.http_status)
        return
    more = {"Retry-After": RETRY_SECONDS} if isinstance(refusal, TooManyRequests) else CHALLENGE
    await send_problem(scope, receive, send, refusal, more)


async def _show_form(scope: Scope, receive: Receive, send: Send, status: int, is_wrong: bool = False) -> None:
    take_language(scope)
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
    await HTMLResponse(sign_in_page(is_wrong), status, headers)(scope, receive, send)
