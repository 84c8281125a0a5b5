"""Run a chat template: untrusted code in a sandbox with caps on size, memory and time."""

from __future__ import annotations

import json
import re
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import FrameType
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from llmlora.core.errors import ModelFileError

MAX_TEMPLATE_CHARACTERS = 1 << 20
MAX_OUTPUT_CHARACTERS = 64 << 20
MAX_STEP_SIZE = 1 << 20
SHOWN_CHARACTERS = 120  # of a line with a mistake
MAX_EXTRA_MEMORY_BYTES = 1 << 30
DEADLINE_SECONDS = 2.0
TICK_SECONDS = 0.05

# A template that prints today's date would make two runs differ; this is the day Llama's own template falls back to.
FROZEN_DATE = datetime(2024, 7, 26, tzinfo=UTC)

_SPAN_START, _SPAN_END = "\ufdd0\ufdd2", "\ufdd0\ufdd3"
_GENERATION_TAG = re.compile(r"\{%[-+]?\s*generation\s*[-+]?%\}")
_STATM = Path("/proc/self/statm")
_WIDE_FIELD = re.compile(r"\{[^{}]*\d{5,}")
_WIDE_FORMAT = re.compile(r"%[^a-zA-Z%]*(\d{5,}|\*)")


@dataclass(frozen=True)
class Rendered:
    """A rendered conversation and the character spans that the template marks as written by the assistant."""

    text: str
    spans: tuple[tuple[int, int], ...]


class _Generation(Extension):
    """The `{% generation %}` block: what the assistant writes; its borders are kept as noncharacters until the end."""

    tags = {"generation"}  # noqa: RUF012  (the name and type are Jinja's)

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.CallBlock(self.call_method("_marked"), [], [], body).set_lineno(line)

    def _marked(self, caller: Callable[[], str]) -> str:
        return f"{_SPAN_START}{caller()}{_SPAN_END}"


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox that also refuses single operations which would build something huge."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*" and max(_length(left) * _number(right), _length(right) * _number(left)) > MAX_STEP_SIZE:
            raise SecurityError("too large a repetition")
        if operator == "**" and (abs(_number(left)) > MAX_STEP_SIZE or abs(_number(right)) > 64):
            raise SecurityError("too large a power")
        if operator == "%" and isinstance(left, str) and _WIDE_FORMAT.search(left):
            raise SecurityError("too wide a format")
        return super().call_binop(context, operator, left, right)

    def wrap_str_format(self, value: Any) -> Any:
        owner = getattr(value, "__self__", None)
        if isinstance(owner, str) and value.__name__ in ("format", "format_map") and _WIDE_FIELD.search(owner):
            raise SecurityError("too wide a format")
        return super().wrap_str_format(value)

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: N805
        _check_arguments(getattr(__obj, "__self__", None), args, kwargs)
        return super().call(__context, __obj, *args, **kwargs)


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 0


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


def _check_arguments(owner: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    given = (*args, *kwargs.values())
    if any(isinstance(value, int) and value > MAX_STEP_SIZE for value in given):
        raise SecurityError("too large a number")
    texts = [len(value) for value in given if isinstance(value, str)]
    if isinstance(owner, str) and len(texts) > 1 and len(owner) * max(texts) > MAX_OUTPUT_CHARACTERS:
        raise SecurityError("too large a replacement")


def _capped(filter_function: Callable[..., Any]) -> Callable[..., Any]:
    def checked(value: Any, *args: Any, **kwargs: Any) -> Any:
        _check_arguments(value, args, kwargs)
        if isinstance(value, str) and filter_function is _FORMAT and _WIDE_FORMAT.search(value):
            raise SecurityError("too wide a format")
        return filter_function(value, *args, **kwargs)

    return checked


_FORMAT = jinja2.filters.FILTERS["format"]


def _refuse(message: str) -> None:
    raise TemplateError(message)


def _to_json(value: Any, ensure_ascii: bool = False, indent: int | None = None, **options: Any) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, **options)


def _environment() -> _Sandbox:
    environment = _Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])
    for name in ("center", "indent", "format", "batch", "slice", "wordwrap", "truncate"):
        original = environment.filters[name]
        if not hasattr(original, "jinja_pass_arg"):
            environment.filters[name] = _capped(original)
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _refuse
    environment.globals["strftime_now"] = FROZEN_DATE.strftime
    for name in ("lipsum", "cycler", "joiner"):
        environment.globals.pop(name, None)
    return environment


@lru_cache(maxsize=16)
def _compiled(text: str) -> jinja2.Template:
    return _environment().from_string(text)


def compile_template(text: str, name: str) -> None:
    """Check that a template compiles.

    Raises:
        ModelFileError: `template_too_large`, `template_syntax`, `template_unsafe` or `template_timeout`.
    """
    if len(text) > MAX_TEMPLATE_CHARACTERS:
        raise ModelFileError("template_too_large", name=name, size=len(text), limit=MAX_TEMPLATE_CHARACTERS)
    with _typed_errors(name), _limits(name):
        _compiled(text)


def has_generation_markers(text: str) -> bool:
    """Tell whether a template marks what the assistant writes."""
    return bool(_GENERATION_TAG.search(text))


def render_template(
    text: str, name: str, turns: Sequence[Mapping[str, Any]], variables: Mapping[str, Any], tools: Any = None
) -> Rendered:
    """Render a conversation; `variables` are those such as bos_token and add_generation_prompt.

    Raises:
        ModelFileError: `template_refused` when the template raises by itself or fails on these messages,
            `template_unsafe` and `template_timeout` when it does what no template needs to do.
    """
    pieces: list[str] = []
    length = 0
    with _typed_errors(name), _limits(name):
        for piece in _compiled(text).generate({**variables, "messages": turns}, tools=tools, documents=None):
            length += len(piece)
            if length > MAX_OUTPUT_CHARACTERS:
                raise SecurityError("too much output")
            pieces.append(piece)
    return _without_marks("".join(pieces))


def _without_marks(marked: str) -> Rendered:
    if _SPAN_START not in marked:
        return Rendered(marked, ())
    text, start, spans = "", 0, []
    for piece in re.split(f"({_SPAN_START}|{_SPAN_END})", marked):
        if piece == _SPAN_START:
            start = len(text)
        elif piece == _SPAN_END:
            spans.append((start, len(text)))
        else:
            text += piece
    return Rendered(text, tuple(spans))


@contextmanager
def _typed_errors(name: str) -> Iterator[None]:
    try:
        yield
    except TemplateSyntaxError as error:
        lines = (error.source or "").splitlines()[error.lineno - 1 :] or [""]
        params = {"line": error.lineno, "text": lines[0].strip()[:SHOWN_CHARACTERS], "detail": _first_line(error)}
        raise ModelFileError("template_syntax", name=name, **params) from error
    except (SecurityError, MemoryError, RecursionError) as error:
        raise ModelFileError("template_unsafe", name=name, detail=_first_line(error)) from error
    except (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, AttributeError) as error:
        raise ModelFileError("template_refused", name=name, detail=_first_line(error)) from error


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]


@contextmanager
def _limits(name: str) -> Iterator[None]:
    """Interrupt this block when it takes too long or too much memory; only the main thread can be interrupted."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    deadline = time.monotonic() + DEADLINE_SECONDS
    ceiling = _memory_in_use() + MAX_EXTRA_MEMORY_BYTES

    def tick(number: int, frame: FrameType | None) -> None:
        if time.monotonic() > deadline:
            raise ModelFileError("template_timeout", name=name, seconds=DEADLINE_SECONDS)
        if _memory_in_use() > ceiling:
            raise ModelFileError("template_unsafe", name=name, detail="MemoryError")

    previous = signal.signal(signal.SIGALRM, tick)
    signal.setitimer(signal.ITIMER_REAL, TICK_SECONDS, TICK_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def _memory_in_use() -> int:
    """Return resident bytes; where the system does not tell, the highest so far, which a new process may inherit."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
