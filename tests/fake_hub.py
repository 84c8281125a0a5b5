"""A Hub on the loopback interface: one model folder as Hugging Face's client expects it, with faults by switch."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class FakeHub:
    """One model, `repo`; `status` answers everything with an error, `cut_at` is the byte at which
    `num_cuts` connections break in files that are longer. `fault` goes wrong in what `faulty` names, the API or the
    files: a status, `reset`, `stall` (until `is_over`), `longer` or `shorter` (a length that is not the body's).

    `asked` holds method, path and `Range` of each request for a file.
    """

    folder: Path
    repo: str = "me/mine"
    status: int = 0
    error_code: str = ""
    cut_at: int = 0
    num_cuts: int = 0
    claimed: dict[str, int] = field(default_factory=dict)
    token: str = ""
    fault: str = ""
    faulty: Literal["api", "file"] = "api"
    is_over: threading.Event = field(default_factory=threading.Event)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    address: str = ""

    def files(self) -> list[dict[str, Any]]:
        """Return the entries of all files, those of weights as large ones."""
        found = []
        for path in sorted(self.folder.iterdir()):
            data = path.read_bytes()
            size = self.claimed.get(path.name, len(data))
            entry: dict[str, Any] = {"rfilename": path.name, "path": path.name, "type": "file", "size": size}
            entry["oid"] = entry["blobId"] = hashlib.sha1(data, usedforsecurity=False).hexdigest()
            if path.suffix == ".safetensors":
                digest = hashlib.sha256(data).hexdigest()
                entry["lfs"] = {"oid": digest, "sha256": digest, "size": size, "pointerSize": 134}
            found.append(entry)
        return found


@contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve it inside the block; `address` is what HF_ENDPOINT has to be."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.is_over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def log_message(self, *_: object) -> None:
        return

    def _answer(self, with_body: bool) -> None:
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        if hub.token and self.headers.get("Authorization") != f"Bearer {hub.token}":
            self._send(401, b"{}", {"X-Error-Code": "RepoNotFound", "X-Error-Message": "no"}, with_body)
        elif hub.status:
            self._send(hub.status, b"{}", {"X-Error-Code": hub.error_code} if hub.error_code else {}, with_body)
        elif hub.fault and path.startswith("/api/") == (hub.faulty == "api"):
            self._fail(path, with_body)
        else:
            self._find(path, with_body)

    def _fail(self, path: str, with_body: bool) -> None:
        if self.hub.fault.isdecimal():
            self._send(int(self.hub.fault), b"{}", {}, with_body)
        elif self.hub.fault in ("longer", "shorter") or not with_body:
            self._find(path, with_body)
        else:
            if self.hub.fault == "stall":
                self.hub.is_over.wait()
            self.close_connection = True
            self.connection.close()

    def _find(self, path: str, with_body: bool) -> None:
        hub = self.hub
        if path.startswith(f"/api/models/{hub.repo}"):
            self._api(path, with_body)
        elif path.startswith(f"/{hub.repo}/resolve/{COMMIT}/"):
            self._file(path.rsplit("/", 1)[1], with_body)
        else:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, with_body)

    def _api(self, path: str, with_body: bool) -> None:
        rest = path.removeprefix(f"/api/models/{self.hub.repo}").strip("/")
        if rest.startswith("revision/") and rest not in ("revision/main", "revision/v2", f"revision/{COMMIT}"):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, with_body)
        elif rest.startswith("tree/"):
            self._send(200, json.dumps(self.hub.files()).encode(), {}, with_body)
        else:
            info = {"id": self.hub.repo, "sha": COMMIT, "siblings": self.hub.files(), "private": False, "tags": []}
            self._send(200, json.dumps(info).encode(), {}, with_body)

    def _file(self, name: str, with_body: bool) -> None:
        hub = self.hub
        data = (hub.folder / name).read_bytes()
        wanted = self.headers.get("Range", "")
        hub.asked.append((self.command, name, wanted))
        start = int(wanted.removeprefix("bytes=").partition("-")[0]) if wanted else 0
        entry = next(entry for entry in hub.files() if entry["path"] == name)
        etag = entry["lfs"]["sha256"] if "lfs" in entry else entry["oid"]
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        body = data[start:]
        if wanted:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        is_cut = with_body and hub.num_cuts > 0 and len(data) > hub.cut_at
        hub.num_cuts -= is_cut
        self._send(206 if wanted else 200, body, headers, with_body, max(0, hub.cut_at - start) if is_cut else None)

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], with_body: bool, num_bytes: int | None = None
    ) -> None:
        length = len(body) + {"longer": 1000, "shorter": -1}.get(self.hub.fault if with_body else "", 0)
        if length != len(body):
            self.close_connection = True  # a client that trusts the length waits for the rest
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.end_headers()
        if with_body:
            self.wfile.write(body[:num_bytes])
        if num_bytes is not None:
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
