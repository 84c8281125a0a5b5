"""One JSON value, strictly: no duplicate keys, no NaN, no huge numbers, no lone surrogates, no deep nesting.

A refusal names the mistake people make (trailing comma, single quotes, comments …), not the parser's state.
"""

from __future__ import annotations

import ast
import json
import math
import re
from typing import Any

MAX_DEPTH = 32
LARGEST_INTEGER = 2**63
STRING = r'"(?:[^"\\]++|\\.)*+"'
BRACKET = re.compile(rf"{STRING}|[\[\]{{}}]", re.DOTALL)
NOT_FINITE = re.compile(rf"{STRING}|(?P<word>-?Infinity|NaN|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)", re.DOTALL)
SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
# Escapes one after the other, whole pairs of surrogates together, so that what is left under `lone` has no partner.
ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
KEY_OR_BRACKET = re.compile(rf"(?P<text>{STRING})(?P<colon>[ \t\n\r]*:)?|[\[\]{{}}]", re.DOTALL)
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
FULL_WIDTH = set("\uff5b\uff5d\uff3b\uff3d\uff1a\uff0c\u3000\u201c\u201d\u2018\u2019\u300c\u300d\u3001\uff02")
VALUE_START = re.compile(r'[\[{"\d-]|(?:true|false|null)\b')
PYTHON_WORD = re.compile(r"(?:None|True|False)\b")


class JsonError(ValueError):
    """A text is not the strict JSON that data files must hold; `position` is 0-based, or None for the whole text."""

    def __init__(self, code: str, position: int | None = None, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.position = position
        self.params = params


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        names = [name for name, _ in pairs]
        key = next(name for name in names if names.count(name) > 1)
        raise JsonError("duplicate_key", name=key)
    return result


def _constant(word: str) -> Any:
    raise JsonError("not_finite", value=word)


def _float(word: str) -> float:
    value = float(word)
    if not math.isfinite(value):
        raise JsonError("not_finite", value=word[:30])
    return value


def _int(word: str) -> int:
    if len(word) > 20 or not -LARGEST_INTEGER <= int(word) < LARGEST_INTEGER:
        raise JsonError("number_too_large", value=f"{word[:12]}…")
    return int(word)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_constant, parse_float=_float, parse_int=_int
)


def parse_json(text: str, max_depth: int = MAX_DEPTH) -> Any:
    """Return the value of a JSON text.

    Raises:
        JsonError: not strict JSON, or nested deeper than `max_depth`.
    """
    check_depth(text, max_depth)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as failure:
        raise JsonError(_mistake(text, failure), failure.pos) from failure
    except JsonError as refusal:
        raise _placed(refusal, text) from None
    if SURROGATE_ESCAPE.search(text):
        _refuse_lone_surrogates(value, text)
    return value


def value_in_text(text: str) -> Any:
    """Return the list or object that a text holds, as JSON or as Python writes it (cells of tables); else the text."""
    if text.lstrip()[:1] not in ("[", "{"):
        return text
    try:
        return parse_json(text)
    except JsonError:
        pass
    try:
        value = ast.literal_eval(text.strip())
        return value if isinstance(value, list | dict) else text
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text


def check_depth(text: str, max_depth: int = MAX_DEPTH) -> None:
    """Refuse nesting deeper than `max_depth` before any parser that recurses sees it.

    Raises:
        JsonError: too deep.
    """
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for match in BRACKET.finditer(text):
        mark = text[match.start()]
        if mark in "[{":
            depth += 1
        elif mark in "]}":
            depth -= 1
        if depth > max_depth:
            raise JsonError("too_deep", match.start(), limit=max_depth)


def _placed(refusal: JsonError, text: str) -> JsonError:
    if refusal.code == "duplicate_key":
        position = _repeated_key(text)
    else:
        wanted = str(refusal.params["value"]).rstrip("…")
        words = (match for match in NOT_FINITE.finditer(text) if match["word"])
        position = next((match.start() for match in words if match["word"].startswith(wanted)), None)
    return JsonError(refusal.code, position, **refusal.params)


def _repeated_key(text: str) -> int | None:
    """Return where the first key begins that its object has already."""
    objects: list[set[str]] = []
    for match in KEY_OR_BRACKET.finditer(text):
        mark = match.group()[0]
        if mark in "[{":
            objects.append(set())
        elif mark in "]}":
            objects.pop()
        elif match["colon"] is not None:
            key = json.loads(match["text"])
            if key in objects[-1]:
                return match.start()
            objects[-1].add(key)
    return None


def _refuse_lone_surrogates(value: Any, text: str) -> None:
    for string in strings_in(value):
        if LONE_SURROGATE.search(string):
            position = next((match.start() for match in ESCAPE.finditer(text) if match["lone"]), None)
            raise JsonError("lone_surrogate", position)


def strings_in(value: Any) -> list[str]:
    """Return every key and string of a JSON value."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in (key, *strings_in(item))]
    if isinstance(value, list):
        return [text for item in value for text in strings_in(item)]
    return []


def _mistake(text: str, failure: json.JSONDecodeError) -> str:
    """Return the code of the mistake that a parser's message and the characters around it point to."""
    here = text[failure.pos : failure.pos + 8]
    before = text[: failure.pos].rstrip()[-1:]
    if failure.msg.startswith("Unterminated string"):
        return "unterminated_string"
    if failure.msg.startswith("Invalid control character"):
        return "control_in_string"
    if failure.msg.startswith("Invalid \\"):
        return "invalid_escape"
    if not here.strip():
        return "unfinished_json"
    if here[0] in FULL_WIDTH:
        return "full_width_syntax"
    if here.startswith(("//", "/*", "#")):
        return "comment_in_json"
    if here[0] == "'":
        return "single_quotes"
    if "trailing comma" in failure.msg or (here[0] in "]}" and before == ","):
        return "trailing_comma"
    if failure.msg == "Extra data":
        return _extra(here)
    return _missing_mark(here, failure.msg)


def _extra(here: str) -> str:
    """Return what stands behind a whole value: a comma, another value, or something that is no JSON."""
    if here[0] == ",":
        return "trailing_comma"
    return "several_values_on_line" if VALUE_START.match(here) else "content_after_json"


def _missing_mark(here: str, message: str) -> str:
    if PYTHON_WORD.match(here):
        return "python_literal"
    if message.startswith("Expecting property name"):
        return "unquoted_key"
    if message.startswith("Expecting ','"):
        return "missing_comma"
    return "json_syntax"
