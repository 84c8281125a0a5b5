"""An Ollama server over HTTP: every call, with errors that say what to do.

Long answers are lines of JSON, in which an error may come after a good status; what makes a model has only worked when
the line `success` was seen.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx2

from llmlora.core.addresses import without_credentials
from llmlora.core.errors import DiskFull, LlmloraError, NotFound, OllamaUnavailable

DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 11434
CONNECT_SECONDS, WAIT_SECONDS = 5.0, 600.0
PIECE = 1 << 20
LONGEST_DETAIL = 300

OnBytes = Callable[[int, int], None]
OnLine = Callable[[Mapping[str, Any]], None]
Json = dict[str, Any]


def server_url(host: str | None = None) -> str:
    """Return the address of the server, as it may be shown: what is given, else `OLLAMA_HOST` as Ollama reads it."""
    return without_credentials(_address(host))


def _address(host: str | None) -> str:
    """Return the address with its credentials; those of a server that `OLLAMA_HOST` names stand only there."""
    given, own = _whole(host), _whole(os.environ.get("OLLAMA_HOST"))
    return own if not host or without_credentials(own) == given else given


def _whole(host: str | None) -> str:
    text = (host or "").strip().rstrip("/")
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "http", text
    name, colon, port = rest.rpartition(":") if not rest.endswith("]") else (rest, "", "")
    if not colon or not port.isdigit():
        name, port = rest, str({"http": DEFAULT_PORT, "https": 443}.get(scheme, DEFAULT_PORT))
    if name in ("", "0.0.0.0", "[::]"):  # what a server listens on is no place to reach it
        name = DEFAULT_HOST
    return f"{scheme}://{name}:{port}"


class OllamaClient:
    """One server. `wait_seconds` is how long it may stay silent in the middle of an answer.

    An address that is none is `ollama_down`. Every call raises `ollama_down`, `ollama_slow`, `ollama_cut` (it went away
    midway), `ollama_full`, `ollama_refused` or `ollama_odd` (what answers speaks something else), all with the address.
    """

    def __init__(self, host: str | None = None, wait_seconds: float = WAIT_SECONDS) -> None:
        self.url = server_url(host)  # as it may be shown
        self._wait_seconds = wait_seconds
        timeout = httpx2.Timeout(wait_seconds, connect=min(CONNECT_SECONDS, wait_seconds))
        try:
            self._http = httpx2.Client(base_url=_address(host), timeout=timeout, trust_env=False)
        except httpx2.InvalidURL as error:
            raise OllamaUnavailable("ollama_down", url=self.url) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def version(self) -> str:
        """Return the server's version."""
        found = self._ask("GET", "/api/version").get("version")
        if not isinstance(found, str):
            raise OllamaUnavailable("ollama_odd", url=self.url, detail="/api/version")
        return found

    def tags(self) -> list[Json]:
        """Return all models, each with name, digest, size and details."""
        models = self._ask("GET", "/api/tags").get("models")
        return [dict(model) for model in models or ()]

    def digest_of(self, name: str) -> str | None:
        """Return the digest of a model's manifest, None when there is no such model."""
        return next((str(model.get("digest")) for model in self.tags() if _is_same_name(model.get("name"), name)), None)

    def show(self, name: str) -> Json:
        """Return what a model is; raises NotFound(ollama_no_model)."""
        return self._ask("POST", "/api/show", {"model": name}, model=name)

    def has_blob(self, digest: str) -> bool:
        """Tell whether the server has a file of that digest (`sha256:…`)."""
        with self._errors("/api/blobs"):
            response = self._http.head(f"/api/blobs/{digest}")
        if response.status_code not in (200, 404):
            raise self._refusal(response.status_code, "HEAD /api/blobs")
        return bool(response.status_code == 200)

    def upload(self, path: Path, digest: str, on_bytes: OnBytes) -> None:
        """Send a file."""
        size = path.stat().st_size
        headers = {"Content-Length": str(size), "Content-Type": "application/octet-stream"}
        with self._errors("/api/blobs"):
            response = self._http.post(f"/api/blobs/{digest}", content=_pieces(path, size, on_bytes), headers=headers)
        if response.status_code not in (200, 201):
            raise self._refusal(response.status_code, _error_text(response.text))

    def create(self, body: Mapping[str, Any], on_line: OnLine) -> None:
        """Make a model; returns only when the server said that it has."""
        self._until_success("/api/create", {**body, "stream": True}, on_line)

    def pull(self, name: str, on_line: OnLine) -> None:
        """Have the server download a model; lines carry `total` and `completed` bytes."""
        self._until_success("/api/pull", {"model": name, "stream": True}, on_line)

    def copy(self, source: str, destination: str) -> None:
        """Give a model one more name; what had that name has it no longer."""
        self._ask("POST", "/api/copy", {"source": source, "destination": destination}, model=source)

    def delete(self, name: str) -> None:
        """Take a name away."""
        self._ask("DELETE", "/api/delete", {"model": name}, model=name)

    def generate(self, body: Mapping[str, Any]) -> Json:
        """Return the answer to a prompt, in one piece."""
        return self._ask("POST", "/api/generate", {**body, "stream": False}, model=str(body.get("model")))

    def chat(self, body: Mapping[str, Any]) -> Json:
        """Return the answer to a conversation, in one piece."""
        return self._ask("POST", "/api/chat", {**body, "stream": False}, model=str(body.get("model")))

    def _until_success(self, path: str, body: Mapping[str, Any], on_line: OnLine) -> None:
        last: Mapping[str, Any] = {}
        for last in self._lines(path, body):
            on_line(last)
        if last.get("status") != "success":
            raise OllamaUnavailable("ollama_cut", url=self.url, detail=str(last.get("status") or path))

    def _lines(self, path: str, body: Mapping[str, Any]) -> Iterator[Json]:
        with self._errors(path), self._http.stream("POST", path, json=dict(body)) as response:
            if response.status_code != 200:
                response.read()
                raise self._refusal(response.status_code, _error_text(response.text), str(body.get("model")))
            for line in response.iter_lines():
                if not line.strip():
                    continue
                found = self._parsed(line)
                if "error" in found:
                    raise self._refusal(int(found.get("status") or 500), str(found["error"]), str(body.get("model")))
                yield found

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None, model: str = "") -> Json:
        with self._errors(path):
            response = self._http.request(method, path, json=None if body is None else dict(body))
        if response.status_code != 200:
            raise self._refusal(response.status_code, _error_text(response.text), model)
        found = self._parsed(response.text) if response.content else {}
        if "error" in found:
            raise self._refusal(500, str(found["error"]), model)
        return found

    def _parsed(self, text: str) -> Json:
        try:
            found = json.loads(text)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise OllamaUnavailable("ollama_odd", url=self.url, detail=text[:LONGEST_DETAIL])
        return found

    def _refusal(self, status: int, detail: str, model: str = "") -> LlmloraError:
        """Return the error for an answer that refuses."""
        if "no space left" in detail.lower() or status == 507:
            return DiskFull("ollama_full", url=self.url, detail=detail)
        if status == 404 and model:
            return NotFound("ollama_no_model", url=self.url, name=model)
        if status == 403:
            return OllamaUnavailable("ollama_forbidden", url=self.url)
        return OllamaUnavailable("ollama_refused", url=self.url, status=status, detail=detail)

    @contextmanager
    def _errors(self, path: str) -> Iterator[None]:
        try:
            yield
        except httpx2.ConnectError as error:
            raise OllamaUnavailable("ollama_down", url=self.url) from error
        except httpx2.TimeoutException as error:
            raise OllamaUnavailable(
                "ollama_slow", url=self.url, seconds=round(self._wait_seconds), path=path
            ) from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise OllamaUnavailable("ollama_cut", url=self.url, detail=f"{path}: {error}"[:LONGEST_DETAIL]) from error


def hash_file(path: Path, on_bytes: OnBytes) -> str:
    """Return a file's digest as Ollama writes it: `sha256:` and 64 hexadecimal digits."""
    size, found = path.stat().st_size, hashlib.sha256()
    for piece in _pieces(path, size, on_bytes):
        found.update(piece)
    return f"sha256:{found.hexdigest()}"


def _pieces(path: Path, size: int, on_bytes: OnBytes) -> Iterator[bytes]:
    done = 0
    with path.open("rb") as stream:
        while piece := stream.read(PIECE):
            yield piece
            done += len(piece)
            on_bytes(done, size)


def _error_text(text: str) -> str:
    """Return what a server says in `error`, else the beginning of its answer."""
    try:
        return str(json.loads(text)["error"])[:LONGEST_DETAIL]
    except (ValueError, KeyError, TypeError):
        return text.strip()[:LONGEST_DETAIL]


def _is_same_name(found: object, wanted: str) -> bool:
    """Compare two names as Ollama does: without case, `latest` where no tag is given."""
    names = [name if ":" in name else f"{name}:latest" for name in (str(found).lower(), wanted.lower())]
    return names[0] == names[1]
