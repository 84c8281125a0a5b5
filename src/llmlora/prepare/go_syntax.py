"""The syntax of Go's text/template, as far as chat templates use it: from text to a tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

_ACTION = re.compile(r"\{\{(?P<left>-(?=\s))?\s*(?P<code>.*?)\s*(?P<right>(?<=\s)-)?\}\}", re.DOTALL)
_COMMENT = re.compile(r"\{\{(-\s)?\s*/\*.*?\*/\s*(\s-)?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\\n]|\\.)*"|`[^`]*`)|(?P<number>-?\d+(?:\.\d+)?)|(?P<variable>\$\w*(?:\.\w+)*)'
    r"|(?P<field>(?:\.\w+)+|\.)|(?P<word>\w+)|(?P<sign>:=|=|[(),|]))"
)
MAX_CHARACTERS, MAX_DEPTH = 100_000, 50


class GoTemplateError(Exception):
    """A template that this reader does not know; the argument names the part."""


@dataclass(frozen=True)
class Literal:
    """A text, a number, true, false or nil."""

    value: Any


@dataclass(frozen=True)
class Field:
    """A field of the dot; without a name the dot itself."""

    path: tuple[str, ...]


@dataclass(frozen=True)
class Variable:
    """`$name` and fields of it; without a name the whole data."""

    name: str
    path: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A function with its arguments, and fields of what it returns."""

    name: str
    arguments: tuple[Any, ...]
    path: tuple[str, ...] = ()


@dataclass(frozen=True)
class Text:
    """What is printed as it stands."""

    text: str


@dataclass(frozen=True)
class Action:
    """A value that is printed, or given to a variable: a new one of this block, or one that is there."""

    value: Any
    assigned: str | None
    is_new: bool = False


@dataclass(frozen=True)
class Branch:
    """`if`, or `with`, which makes the value the dot."""

    condition: Any
    then: Sequence[Node]
    otherwise: Sequence[Node]
    is_with: bool = False


@dataclass(frozen=True)
class Loop:
    """`range`, with the names of index and item, or of the item alone."""

    items: Any
    names: tuple[str, ...]
    body: Sequence[Node]
    otherwise: Sequence[Node]


@dataclass(frozen=True)
class Leave:
    """`break` or `continue` of the innermost loop."""

    word: str


Node = Text | Action | Branch | Loop | Leave
Piece = tuple[str, str]


def parse_go(template: str) -> list[Node]:
    """Return the nodes of a template; raises GoTemplateError for what is not known here."""
    if len(template) > MAX_CHARACTERS:
        raise GoTemplateError("too long")
    pieces = list(_pieces(template))
    nodes, rest, end = _nodes(pieces, 0)
    if end is not None or rest != len(pieces):
        raise GoTemplateError(end or "end")
    return nodes


def _pieces(template: str) -> Iterator[Piece]:
    """Yield texts and actions, spaces taken away where an action has a minus at its side."""
    template = _COMMENT.sub(lambda match: f"{{{{{match[1] or ''}nil{match[2] or ''}}}}}", template)
    place, strips = 0, False
    for match in _ACTION.finditer(template):
        text = template[place : match.start()]
        text = text.lstrip(" \t\r\n") if strips else text
        yield "text", text.rstrip(" \t\r\n") if match["left"] else text
        yield "code", match["code"]
        place, strips = match.end(), bool(match["right"])
    last = template[place:]
    yield "text", last.lstrip(" \t\r\n") if strips else last


def _nodes(pieces: Sequence[Piece], place: int, depth: int = 0) -> tuple[list[Node], int, str | None]:
    """Return nodes up to an `else` or `end`, the place behind it, and its code."""
    if depth > MAX_DEPTH:
        raise GoTemplateError("too deep")
    found: list[Node] = []
    while place < len(pieces):
        kind, code = pieces[place]
        place += 1
        if kind == "text":
            found += [Text(code)] if code else []
            continue
        word, _, rest = code.partition(" ")
        if word in ("else", "end"):
            return found, place, code
        if word in ("if", "with", "range"):
            node, place = _block(word, rest, pieces, place, depth)
            found.append(node)
        elif code in ("break", "continue"):
            found.append(Leave(code))
        elif word in ("define", "template", "block"):
            raise GoTemplateError(word)
        else:
            found.append(_action(code))
    return found, place, None


def _block(word: str, head: str, pieces: Sequence[Piece], place: int, depth: int) -> tuple[Node, int]:
    body, place, end = _nodes(pieces, place, depth + 1)
    otherwise: list[Node] = []
    if end is not None and end.startswith("else"):
        again, _, condition = end.removeprefix("else").strip().partition(" ")
        if again:
            node, place = _block(again, condition, pieces, place, depth + 1)
            otherwise, end = [node], "end"
        else:
            otherwise, place, end = _nodes(pieces, place, depth + 1)
    if end != "end":
        raise GoTemplateError(f"{word} without end")
    if word == "range":
        names, items = _assignment(head)
        return Loop(items, names, body, otherwise), place
    if word not in ("if", "with"):
        raise GoTemplateError(word)
    return Branch(_Expression(head).whole(), body, otherwise, word == "with"), place


def _action(code: str) -> Action:
    names, value = _assignment(code)
    if len(names) > 1:
        raise GoTemplateError(code[:40])
    return Action(value, names[0] if names else None, is_new=re.match(r"\$\w+\s*:=", code) is not None)


def _assignment(code: str) -> tuple[tuple[str, ...], Any]:
    match = re.match(r"((?:\$\w+\s*,\s*)?\$\w+)\s*:?=\s*(?!=)", code)
    if match is None:
        return (), _Expression(code).whole()
    names = tuple(name.strip().removeprefix("$") for name in match[1].split(","))
    return names, _Expression(code[match.end() :]).whole()


class _Expression:
    """A pipeline: operands, calls of functions, parentheses, pipes."""

    def __init__(self, code: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        place = 0
        while place < len(code.rstrip()):
            match = _TOKEN.match(code, place)
            if match is None or match.lastgroup is None:
                raise GoTemplateError(code[place : place + 40])
            self._tokens.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        self._place = 0

    def whole(self) -> Any:
        """Return the expression; nothing may be left behind it."""
        value = self._pipeline(0)
        if self._place != len(self._tokens):
            raise GoTemplateError(str(self._tokens[self._place][1]))
        return value

    def _pipeline(self, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise GoTemplateError("too deep")
        value = self._command(depth)
        while self._next() == ("sign", "|"):
            self._place += 1
            following = self._command(depth)
            if not isinstance(following, Call):
                raise GoTemplateError("|")
            value = Call(following.name, (*following.arguments, value), following.path)
        return value

    def _command(self, depth: int) -> Any:
        kind, text = self._next()
        if kind != "word" or text in _CONSTANTS:
            return self._operand(depth)
        self._place += 1
        arguments = []
        while self._next()[0] not in ("", "sign") or self._next() == ("sign", "("):
            arguments.append(self._operand(depth))
        return Call(text, tuple(arguments))

    def _operand(self, depth: int) -> Any:
        kind, text = self._next()
        self._place += 1
        if kind == "string":
            return Literal(text[1:-1] if text[0] == "`" else ast.literal_eval(text))
        if kind == "number":
            return Literal(float(text) if "." in text else int(text))
        if kind == "field":
            return Field(tuple(text.split(".")[1:]) if text != "." else ())
        if kind == "variable":
            name, *path = text.removeprefix("$").split(".")
            return Variable(name, tuple(path))
        if kind == "word":
            return Literal(_CONSTANTS[text]) if text in _CONSTANTS else Call(text, ())
        if (kind, text) != ("sign", "("):
            raise GoTemplateError(text or "end")
        return self._parenthesis(depth)

    def _parenthesis(self, depth: int) -> Any:
        value = self._pipeline(depth + 1)
        if self._next() != ("sign", ")"):
            raise GoTemplateError("(")
        self._place += 1
        if self._next()[0] == "field" and isinstance(value, Call):
            path = tuple(self._next()[1].split(".")[1:])
            self._place += 1
            return Call(value.name, value.arguments, path)
        return value

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("", "")


_CONSTANTS = {"true": True, "false": False, "nil": None}
