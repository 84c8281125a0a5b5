"""Requests made from the OpenAPI document of which something is wrong, and what any answer to them has to be."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from llmlora.core.locale import has_text

METHODS = ("get", "post", "put", "patch", "delete", "head")
OTHER_METHODS = st.sampled_from([*METHODS, "options", "brew"])
JSON, FORM, BYTES = "application/json", "multipart/form-data", "application/octet-stream"
UNKNOWN_ID = "01ZZZZZZZZZZZZZZZZZZZZZZZZ"
TRAVERSAL = "../../../../etc/passwd"
STRINGS = ["", " ", "a", "\0", "\u202e", "😀é", TRAVERSAL, "/etc/passwd", "C:\\x", "'; DROP TABLE jobs;--", "{0}%s${x}",
           "file:///etc/passwd", "http://169.254.169.254/", "ollama:x", "x.gguf", "a" * 5000, "é" * 100_000, "-1",
           "NaN", "1e999", UNKNOWN_ID, "nano"]  # fmt: skip
# Pieces of JSON text, right and wrong
FRAGMENTS = [*(json.dumps(text) for text in STRINGS), "null", "true", "0", "-1", "1.5", "1e400", "-1e400", "NaN",
             "Infinity", "-Infinity", "9" * 400, "9223372036854775808", "-0", "01", "[]", "{}", "[[]]", "[null]",
             '[{"a":[1,{"b":null}]}]', '{"":""}', "[" * 60 + "]" * 60, "[" * 5000 + "]" * 5000,
             '{"a":' * 70 + "1" + "}" * 70,
             '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\x"', '{"a":1,"a":2}', "'x'", "// x\n1",
             "[" + "1," * 3000 + "1]", "{" + ",".join(f'"k{n}":{n}' for n in range(500)) + "}"]  # fmt: skip
BODIES = [b"", b" ", b"\0", b"\xff\xfe{\0}\0", b"\xef\xbb\xbf{}", b"{", b"}", b'{"a":', b"a=b&c=d", b"--x\r\n",
          b"\x1f\x8b\x08",
          "{}".encode("utf-16"), b'{"a":"\xff"}', b"null", b"[]", b'"x"', b"1"]  # fmt: skip
TYPES = [JSON, JSON, JSON, "application/json; charset=utf-16", "application/problem+json", "text/plain", "x", "",
         "application/x-www-form-urlencoded", FORM, f"{FORM}; boundary=", BYTES, "application/xml"]  # fmt: skip
FORMS = [b"--x\r\n", b"--x--\r\n", b"--x\r\n\r\n\r\n--x--\r\n", b"no boundary at all",
         b'--x\r\nContent-Disposition: form-data; name="file"; filename="\0.jsonl"\r\n\r\n{"a"',
         b'--x\r\nContent-Disposition: form-data; name="file"; filename="../../x.csv"\r\n\r\na,b\r\n1\r\n--x--\r\n',
         b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nnot a file\r\n--x--\r\n',
         b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--x--\r\n',
         b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--\r\n",
         b"--x\r\n" + b"A: b\r\n" * 300 + b"\r\n1\r\n--x--\r\n",
         b"--x\r\nA: " + b"b" * 20_000 + b"\r\n\r\n1\r\n--x--\r\n",
         b'--x\r\nContent-Disposition: form-data; name="f"\r\n\r\n1\r\n' * 30 + b"--x--\r\n"]  # fmt: skip
HEADERS = {
    "Idempotency-Key": ["", "k", "k" * 201, "\x01", "é".encode().decode("latin-1")],
    "Range": ["bytes=0-", "bytes=-1", "bytes=9-1", "x", "bytes=" + "0-0," * 500, "bytes=99999999999999999999-"],
    "Last-Event-ID": ["x" * 101, "x-1"],
    "Accept": ["text/html", "x", "*/*;q=2"],
    "Upload-Offset": ["0", "-1", "x", "9" * 30, "1.5"],
    "If-None-Match": ["*", '"x"'],
}
JAPANESE = re.compile("[ぁ-んァ-ヶ一-龠]")


@dataclass(frozen=True)
class Operation:
    """A method of a path, as the document has it."""

    method: str
    path: str
    about: dict[str, Any] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.method.upper()} {self.path}"


@dataclass
class Ids:
    """What there is in the workspace that is asked."""

    job: str
    dataset: str
    upload: str


def operations(document: dict[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            if method in METHODS:
                yield Operation(method, path, about)


class Requests:
    """Strategies for requests of one document."""

    def __init__(self, document: dict[str, Any], ids: Ids) -> None:
        self.document = document
        self.ids = ids

    @st.composite
    @staticmethod
    def of(draw: st.DrawFn, self: Requests, operation: Operation) -> dict[str, Any]:
        """Return the arguments of `client.request`."""
        method = operation.method if draw(st.integers(0, 9)) < 9 else draw(OTHER_METHODS)
        path, query, headers = operation.path, {}, {"Accept-Language": draw(st.sampled_from(["ja", "en"]))}
        for parameter in operation.about.get("parameters", []):
            name, place = parameter["name"], parameter["in"]
            if place == "path":
                path = path.replace("{" + name + "}", self._segment(draw, name))
            elif place == "query" and draw(st.booleans()):
                query[name] = draw(st.sampled_from([*STRINGS, "1", "2", self.ids.job, self.ids.dataset]))[:3000]
        for name in draw(st.lists(st.sampled_from(sorted(HEADERS)), max_size=2, unique=True)):
            headers[name] = draw(st.sampled_from(HEADERS[name]))
        if operation.path == "/api/events":  # it would go on for ever
            headers["Last-Event-ID"] = "x" * 101
        content, kind = self._body(draw, operation)
        if content is not None:
            headers["Content-Type"] = kind
        encoded = {name: value.encode("latin-1", "replace") for name, value in headers.items()}
        return {"method": method.upper(), "url": path, "params": query, "headers": encoded, "content": content}

    def _segment(self, draw: st.DrawFn, name: str) -> str:
        known = {"job_id": self.ids.job, "dataset_id": self.ids.dataset, "upload_id": self.ids.upload, "row": "1"}
        if name in known and draw(st.booleans()):
            return known[name]
        text = draw(st.sampled_from([*STRINGS, "%ff", "config.json", "runs/../config.json", "1e5", "9" * 30]))[:3000]
        return text if text == "%ff" else quote(text, safe="") or "%20"

    def _body(self, draw: st.DrawFn, operation: Operation) -> tuple[bytes | None, str]:
        wanted = (operation.about.get("requestBody") or {}).get("content") or {}
        if not wanted:
            return (None, "") if draw(st.integers(0, 3)) < 3 else (draw(st.sampled_from(BODIES)), JSON)
        kind = next(iter(wanted))
        if kind == FORM:
            return draw(st.sampled_from([*FORMS, *BODIES])), draw(st.sampled_from([f"{FORM}; boundary=x"] * 5 + TYPES))
        if kind == BYTES:
            return draw(st.sampled_from([*BODIES, b"x" * 100_000])), draw(st.sampled_from([BYTES, *TYPES]))
        if draw(st.integers(0, 5)) == 5:
            return draw(st.sampled_from(BODIES)), draw(st.sampled_from(TYPES))
        text = self._spoiled(draw, self._value(draw, wanted[kind]["schema"], 0))
        return text.encode("utf-8", "surrogatepass"), draw(st.sampled_from([JSON] * 12 + TYPES))

    def _spoiled(self, draw: st.DrawFn, value: Any) -> str:
        """Return JSON of which one value is another, one name comes twice or is new, or nothing is wrong."""
        if not isinstance(value, dict) or not value:
            return draw(st.sampled_from(FRAGMENTS))
        name, wrong = draw(st.sampled_from(sorted(value))), draw(st.sampled_from(FRAGMENTS))
        texts = {key: json.dumps(item) for key, item in value.items()}
        how = draw(st.sampled_from(["value", "value", "value", "inside", "twice", "new", "missing", "none"]))
        if how == "inside" and isinstance(value[name], dict) and value[name]:
            texts[name] = self._spoiled(draw, value[name])
        elif how in ("value", "inside"):
            texts[name] = wrong
        elif how == "missing":
            del texts[name]
        elif how == "new":
            texts["surplus"] = wrong
        members = [f"{json.dumps(key)}:{text}" for key, text in texts.items()]
        return "{" + ",".join([*members, *(members[:1] if how == "twice" else ())]) + "}"

    def _value(self, draw: st.DrawFn, schema: dict[str, Any], depth: int, name: str = "") -> Any:
        """Return a value that a schema allows, as far as its types and limits go."""
        if "$ref" in schema:
            return self._value(draw, self._named(schema["$ref"]), depth, name)
        if "anyOf" in schema:
            return self._value(draw, draw(st.sampled_from(schema["anyOf"])), depth, name)
        if "const" in schema or "enum" in schema:
            return draw(st.sampled_from(schema.get("enum") or [schema["const"]]))
        kind = schema.get("type", "object")
        if kind == "object":
            return self._object(draw, schema, depth)
        if kind == "array":
            most = 0 if depth > 4 else min(2, schema.get("maxItems", 2))
            number = draw(st.integers(min(schema.get("minItems", 0), most), most))
            return [self._value(draw, schema.get("items", {"type": "string"}), depth + 1, name) for _ in range(number)]
        if kind in ("integer", "number"):
            lowest, highest = schema.get("minimum", 0), schema.get("maximum", schema.get("minimum", 0) + 3)
            return draw(st.sampled_from([lowest, highest, 1]))
        return draw(self._word(name)) if kind == "string" else draw(st.booleans()) if kind == "boolean" else None

    def _object(self, draw: st.DrawFn, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        needed, found = schema.get("required", ()), {}
        for name, inner in schema.get("properties", {}).items():
            if name in needed or (depth < 4 and draw(st.booleans())):
                found[name] = self._value(draw, inner, depth + 1, name)
        return found

    def _named(self, reference: str) -> dict[str, Any]:
        found: Any = self.document
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        return found

    def _word(self, name: str) -> st.SearchStrategy[str]:
        known = {"dataset": self.ids.dataset, "job": self.ids.job, "parent": self.ids.job}
        near = next((value for word, value in known.items() if word in name), "F16" if "quant" in name else "a name")
        return st.sampled_from([near, near, near, UNKNOWN_ID, "a", "none-such"])


def assert_answered(operation: Operation, request: dict[str, Any], answer: Any) -> None:
    """Fail unless an answer is one that the interface promises."""
    status, kind = answer.status_code, answer.headers.get("content-type", "")
    assert status < 500 or status in (503, 507), answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "Traceback" not in answer.text[:5000]
    if status < 400 or request["method"] == "HEAD":
        if kind == JSON:
            json.loads(answer.text, parse_constant=lambda word: pytest_fail(f"{word} in an answer"))
        return
    language = request["headers"]["Accept-Language"].decode()
    if operation.path.startswith("/v1/"):
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
        assert error["type"] in ("invalid_request_error", "server_error", "rate_limit_error", "authentication_error")
        words = error["message"]
    else:
        assert kind == "application/problem+json", answer.text
        problem = answer.json()
        assert {"type", "title", "status", "code", "params", "detail", "hint"} <= set(problem)
        assert problem["status"] == status
        assert has_text(f"error.{problem['code']}.what"), problem["code"]
        words = f"{problem['detail']} {problem['hint']}"
    assert bool(JAPANESE.search(words)) == (language == "ja"), words


def pytest_fail(words: str) -> None:
    raise AssertionError(words)
