"""An Ollama server for the tests, of the version that is asked for, with real answers by llama.cpp on the real blobs.

`FakeOllama(folder, "0.40.0")` keeps its store in a folder; `with` starts and stops it. `odd` switches what goes wrong.
"""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any, Self

from fake_ollama.odd import Odd
from fake_ollama.render import render_go
from fake_ollama.store import Store, Stored, digest_of
from llama_child import LlamaChild
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.ollama.versions import abilities_of

DEFAULT_CONTEXT = 4096
MAX_FILE_NAME = 1024
CAPABILITIES = {"completion", "tools", "insert", "vision", "embedding", "thinking", "image", "audio"}
KNOWN_QUANTIZATIONS = ("q8_0", "q4_K_S", "q4_K_M")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,79})?")
KNOWN_PATHS = (
    *("/api/version", "/api/tags", "/api/ps", "/api/delete", "/api/show", "/api/copy"),
    *("/api/chat", "/api/generate", "/api/create", "/api/pull"),
)
Json = dict[str, Any]


class RefusedError(Exception):
    """An answer with a status and an error."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(error)
        self.status = status


class FakeOllama:
    """One server; `requests` are the calls that it got, as method and path."""

    def __init__(self, folder: Path, version: str = "0.40.0") -> None:
        self.version = version
        self.store = Store(folder, is_v2=self._since(0, 40))
        self.odd = Odd()
        self.requests: list[str] = []
        self._child = LlamaChild()
        self._one_at_a_time = Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._http.fake = self  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread = Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()
        self._child.close()

    def _since(self, *number: int) -> bool:
        return tuple(int(part) for part in self.version.split(".")) >= number

    def create(self, body: Json) -> Iterator[Json]:
        """Yield the lines of /api/create; what is refused at once is raised before the first."""
        name = str(body.get("model", ""))
        if not NAME.fullmatch(name):
            raise RefusedError(400, "invalid model name")
        if body.get("adapters") and self._since(0, 34, 1):
            raise RefusedError(400, "LoRA adapters are no longer supported")
        if len(body.get("adapters") or {}) > 1:
            raise RefusedError(400, "only one adapter is currently supported")
        for file in (*(body.get("files") or {}), *(body.get("adapters") or {})):
            if not _is_file_name(str(file)):
                raise RefusedError(400, f"invalid file name {str(file)[:80]!r}")
        unknown = sorted(set(body.get("capabilities") or ()) - CAPABILITIES)
        if unknown and self._since(0, 40):
            raise RefusedError(400, f"unknown capability {unknown[0]!r}")
        if body.get("quantize"):
            self._check_quantize(str(body["quantize"]))
        if "typical_p" in body.get("parameters", {}) and self._since(0, 40):
            raise RefusedError(400, "typical_p is no longer supported")
        return self._created(name, body)

    def _check_quantize(self, kind: str) -> None:
        if self._since(0, 34, 1):
            text = "create-time quantization is only supported for safetensors imports; quantize GGUF models with "
            raise RefusedError(400, text + "llama.cpp tools before importing")
        if kind.lower() not in [known.lower() for known in KNOWN_QUANTIZATIONS]:
            raise RefusedError(400, f"unsupported quantization type {kind.upper()}")

    def _created(self, name: str, body: Json) -> Iterator[Json]:
        layers: dict[str, str] = {}
        if body.get("from"):
            base = self.store.find(str(body["from"]))
            if base is None:
                raise RefusedError(404, f"model '{body['from']}' not found")
            layers = {kind: "sha256:" + path.name.removeprefix("sha256-") for kind, path in base.layers.items()}
        yield {"status": "parsing GGUF"}
        for kind, files in (("model", body.get("files")), ("adapter", body.get("adapters"))):
            for digest in (files or {}).values():
                self._check_weights(kind, str(digest))
                layers[kind] = self._stored_weights(str(digest))
        if self.odd.error_in_stream:
            yield {"error": self.odd.error_in_stream}
            return
        texts = {"template": self.odd.wrong_template or body.get("template"), "system": body.get("system")}
        if texts["template"] is None and self.odd.detects_template is not None:
            texts["template"] = self.odd.detects_template
            yield {"status": "using autodetected template chatml"}
        texts["license"] = body.get("license")
        parameters = {
            key: value for key, value in body.get("parameters", {}).items() if key != self.odd.loses_parameter
        }
        texts["params"] = json.dumps(parameters) if parameters else None
        for kind, text in texts.items():
            if text is not None:
                is_there = self.store.blob(digest_of(str(text).encode())).exists()
                layers[kind] = self.store.put(str(text).encode())
                yield {"status": f"{'using existing' if is_there else 'creating new'} layer {layers[kind]}"}
        header = read_gguf_header(self.store.blob(layers["model"]))
        architecture = str(header.metadata["general.architecture"])
        yield {"status": "writing manifest"}
        programs = {kind: body[kind] for kind in ("renderer", "parser") if body.get(kind)}
        if self.odd.sets_renderer is not None:
            programs["renderer"] = self.odd.sets_renderer
        self.store.mixes_layouts = self.odd.mixes_layouts
        self.store.write(name, layers, {"model_format": "gguf", "model_family": architecture, **programs})
        if not self.odd.cut_before_success:
            yield {"status": "success"}

    def _check_weights(self, kind: str, digest: str) -> None:
        """Refuse an adapter among the files where adapters are refused, which the server sees from what it holds."""
        path = self.store.blob(digest)
        if kind != "model" or not self._since(0, 34, 1) or not path.is_file():
            return
        if read_gguf_header(path).metadata.get("general.type") == "adapter":
            raise RefusedError(400, "LoRA adapters are no longer supported")

    def _stored_weights(self, digest: str) -> str:
        path = self.store.blob(digest)
        if not path.is_file():
            raise RefusedError(400, f"blob {digest} not found")
        return self.store.put(path.read_bytes() + bytes(32)) if self.odd.repacks else digest

    def tags(self) -> Json:
        models = []
        for model in self.store.all():
            size = sum(path.stat().st_size for path in model.layers.values())
            facts = {"digest": model.digest.removeprefix("sha256:"), "size": size, "details": self._details(model)}
            models.append({"name": model.name, "model": model.name, **facts})
        return {"models": models}

    def _details(self, model: Stored) -> Json:
        family = str(model.config["model_family"])
        return {"format": "gguf", "family": family, "families": [family], "quantization_level": "unknown"}

    def show(self, body: Json) -> Json:
        model = self.found(body)
        lines = []
        for name, value in model.parameters.items():
            values = value if isinstance(value, list) else [value]
            lines += [f"{name:<30} {json.dumps(item) if isinstance(item, str) else item}" for item in values]
        header = read_gguf_header(model.layers["model"])
        jinja = header.metadata.get("tokenizer.chat_template", "")
        facts = {key: value for key, value in header.metadata.items() if not isinstance(value, list)}
        hidden = ("general.name", "tokenizer.chat_template")
        return {
            "license": model.text("license") or "",
            "parameters": "\n".join(lines),
            "template": model.text("template") or jinja,
            "system": model.text("system") or "",
            "details": self._details(model),
            "model_info": {key: value for key, value in facts.items() if key not in hidden},
            "capabilities": ["completion"],
        }

    def running(self) -> Json:
        """Return what /api/ps tells: nothing is kept loaded here."""
        return {"models": []}

    def found(self, body: Json) -> Stored:
        name = str(body.get("model") or body.get("name"))
        model = self.store.find(name)
        if model is None:
            raise RefusedError(404, f"model '{name}' not found")
        return model

    def answer(self, body: Json, is_chat: bool) -> Json:
        """Return the answer of /api/chat or /api/generate, all of it."""
        model = self.found(body)
        options = {**model.parameters, **(body.get("options") or {})}
        prompt = self._prompt(model, body, is_chat)
        base: Json = {"model": model.name, "created_at": "2026-11-29T00:00:00Z"}
        if body.get("_debug_render_only") and abilities_of(self.version).can_render:
            return {**base, "_debug_info": {"rendered_template": prompt}}
        num_ctx = self.odd.num_ctx or int(options.get("num_ctx") or DEFAULT_CONTEXT)
        started = time.monotonic_ns()
        reply = self._reply(model, prompt, options, num_ctx, body)
        spent = time.monotonic_ns() - started
        text, reason = reply["text"], reply["reason"]
        spoken = {"message": {"role": "assistant", "content": text}} if is_chat else {"response": text}
        counts = {"prompt_eval_count": reply["num_prompt"], "eval_count": reply["num_tokens"]}
        times = {"total_duration": spent, "load_duration": 0, "prompt_eval_duration": 1, "eval_duration": spent}
        found = {**base, **spoken, "done": True, "done_reason": reason, **times, **counts}
        if body.get("logprobs") and abilities_of(self.version).has_logprobs:
            found["logprobs"] = reply["logprobs"]
        return found

    def _prompt(self, model: Stored, body: Json, is_chat: bool) -> str:
        if not is_chat and body.get("raw"):
            return str(body["prompt"])
        messages = list(body["messages"]) if is_chat else [{"role": "user", "content": str(body["prompt"])}]
        system = model.text("system")
        if system and messages[0]["role"] != "system":
            messages.insert(0, {"role": "system", "content": system})
        template = model.text("template")
        if template is not None:
            return render_go(template, messages)
        if not abilities_of(self.version).has_jinja:
            return str(messages[-1]["content"])  # {{ .Prompt }}
        turns = [(turn["role"], turn["content"]) for turn in messages]
        return self._ask(model, messages=turns).rendered

    def _reply(self, model: Stored, prompt: str, options: Json, num_ctx: int, body: Json) -> Json:
        stops = options.get("stop") or []
        wanted = {
            "prompt": prompt,
            "num_predict": int(options.get("num_predict") or 128),
            "stop": [] if self.odd.never_stops else stops if isinstance(stops, list) else [stops],
            "ignores_end": self.odd.never_stops,
            "temperature": float(options.get("temperature", 0.8)),
            "num_ctx": num_ctx,
            "truncate": body.get("truncate", True),
            "top": int(body.get("top_logprobs") or 0) if body.get("logprobs") else 0,
        }
        reply = self._ask(model, reply=wanted).reply
        if "error" in reply:
            raise RefusedError(400, str(reply["error"]))
        return reply

    def _ask(self, model: Stored, **question: Any) -> Any:
        weights = next(self.store.all()).layers["model"] if self.odd.forgets_weights else model.layers["model"]
        with self._one_at_a_time:
            return self._child.ask(weights, lora=model.layers.get("adapter"), **question)

    def pull(self, body: Json) -> Iterator[Json]:
        name = str(body.get("model"))
        source = self.store.folder / "registry" / f"{name}.gguf"
        if not source.is_file():
            raise RefusedError(500, "pull model manifest: file does not exist")
        return self._pulled(name, source)

    def _pulled(self, name: str, source: Path) -> Iterator[Json]:
        yield {"status": "pulling manifest"}
        content = source.read_bytes()
        digest = digest_of(content)
        for done in (len(content) // 2, len(content)):
            status = f"pulling {digest[7:19]}"
            yield {"status": status, "digest": digest, "total": len(content), "completed": done}
        if self.odd.error_in_stream:
            yield {"error": self.odd.error_in_stream}
            return
        self.store.add(name, source)
        yield from ({"status": status} for status in ("verifying sha256 digest", "writing manifest", "success"))


class _Handler(BaseHTTPRequestHandler):
    """Puts requests through to the server's methods, oddly where it is switched on."""

    protocol_version = "HTTP/1.1"

    @property
    def fake(self) -> FakeOllama:
        return self.server.fake  # type: ignore[attr-defined, no-any-return]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._handled(
            {
                "/api/version": lambda body: {"version": self.fake.version},
                "/api/tags": self._tags,
                "/api/ps": lambda body: self.fake.running(),
            }
        )

    def do_HEAD(self) -> None:
        self._handled({}, head=True)

    def do_DELETE(self) -> None:
        self._handled({"/api/delete": self._delete})

    def do_POST(self) -> None:
        fake = self.fake
        self._handled(
            {
                "/api/show": fake.show,
                "/api/copy": self._copy,
                "/api/chat": lambda body: fake.answer(body, True),
                "/api/generate": lambda body: fake.answer(body, False),
                "/api/create": fake.create,
                "/api/pull": fake.pull,
            }
        )

    def _handled(self, calls: Mapping[str, Callable[[Json], Any]], head: bool = False) -> None:
        fake, odd = self.fake, self.fake.odd
        fake.requests.append(f"{self.command} {self.path}")
        if self.path != "/api/version":
            time.sleep(odd.seconds_silent)
            if odd.status is not None:
                return self._send(odd.status, {"error": "no"})
        if odd.is_html:
            return self._send_bytes(200, b"<html>hello</html>", "text/html")
        if odd.foreign_host:
            return self._send_bytes(403, b"", "text/plain")
        if self.path.startswith("/api/blobs/"):
            return self._blob(head)
        if self.path not in calls:
            status = 405 if self.path in KNOWN_PATHS else 404
            return self._send(status, {"error": "method not allowed" if status == 405 else "not found"})
        try:
            found = calls[self.path](self._body())
            if isinstance(found, Mapping):
                return self._send(200, dict(found))
            return self._stream(found)
        except RefusedError as error:
            return self._send(error.status, {"error": str(error)})

    def _body(self) -> Json:
        length = int(self.headers.get("Content-Length") or 0)
        return dict(json.loads(self.rfile.read(length))) if length else {}

    def _tags(self, body: Json) -> Json:
        return self.fake.tags()

    def _copy(self, body: Json) -> Json:
        self.fake.found({"model": body["source"]})
        self.fake.store.copy(str(body["source"]), str(body["destination"]))
        return {}

    def _delete(self, body: Json) -> Json:
        self.fake.store.delete(self.fake.found(body).name)
        return {}

    def _blob(self, head: bool) -> None:
        digest = self.path.rpartition("/")[2]
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            return self._send(400, {"error": "invalid digest format"}, head)
        path = self.fake.store.blob(digest)
        if head:
            return self._send(200 if path.is_file() else 404, {}, head=True)
        if path.is_file():
            self.rfile.read(int(self.headers["Content-Length"]))
            return self._send(200, {})
        odd, length = self.fake.odd, int(self.headers["Content-Length"])
        if odd.reset_at_byte is not None:
            self.rfile.read(min(odd.reset_at_byte, length))
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            self.close_connection = True
            return self.connection.close()
        content = self.rfile.read(length)
        if odd.full_at_byte is not None and length > odd.full_at_byte:
            return self._send(500, {"error": "write blobs: no space left on device"})
        if odd.refuses_digest or digest_of(content) != digest:
            return self._send(400, {"error": f"digest mismatch, expected {digest!r}"})
        path.write_bytes(content)
        return self._send(201, {})

    def _stream(self, lines: Iterator[Json]) -> None:
        """Answer with a status of its own while nothing was sent, else with lines in a 200."""
        first = next(lines, None)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        data = b"".join(json.dumps(line).encode() + b"\n" for line in ([first] if first else []))
        self._chunk(data)
        try:
            for line in lines:
                self._chunk(json.dumps(line).encode() + b"\n")
        except RefusedError as error:
            self._chunk(json.dumps({"error": str(error)}).encode() + b"\n")
        self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, data: bytes) -> None:
        middle = len(data) // 2
        for piece in (data[:middle], data[middle:]) if self.fake.odd.splits_lines else (data,):
            if piece:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                self.wfile.flush()

    def _send(self, status: int, body: Json, head: bool = False) -> None:
        content = b"" if head else json.dumps(_without(body, self.fake.odd.lacks_fields)).encode()
        self._send_bytes(status, content, "application/json")

    def _send_bytes(self, status: int, content: bytes, kind: str) -> None:
        is_lie = self.fake.odd.wrong_length and self.path != "/api/version"
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) + 100 * is_lie))
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = self.close_connection or is_lie


def _is_file_name(name: str) -> bool:
    parts = name.split("/")
    return (
        bool(name) and len(name) <= MAX_FILE_NAME and not {"\\", ":"} & set(name) and not {"", ".", ".."} & set(parts)
    )


def _without(value: Any, names: tuple[str, ...]) -> Any:
    """Return a JSON value without the fields of some names, at any depth."""
    if isinstance(value, Mapping):
        return {key: _without(item, names) for key, item in value.items() if key not in names}
    return [_without(item, names) for item in value] if isinstance(value, list) else value
