"""Ollama's templates (Go's text/template), as far as chat templates go: what Ollama would send to the model.

`render_go` does what Ollama does around a template as well: it joins turns of one role, and a template that knows no
`.Messages` is gone through turn by turn. What is not known here raises GoTemplateError; nothing is guessed.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence
from typing import Any

from llmlora.core.examples import Message
from llmlora.prepare.go_syntax import (
    Action,
    Branch,
    Call,
    Field,
    GoTemplateError,
    Leave,
    Literal,
    Loop,
    Node,
    Text,
    Variable,
)
from llmlora.prepare.go_syntax import parse_go as parse

Scope = ChainMap[str, Any]
MAX_STEPS = 100_000
RESPONSE, MESSAGES = "Response", "Messages"


def render_go(template: str, messages: Sequence[Message]) -> str:
    """Return what Ollama makes of a conversation that the assistant is to go on with; raises GoTemplateError."""
    nodes = parse(template)
    system, turns = _collated(messages)
    if _mentions(nodes, MESSAGES):
        return _Renderer().render(nodes, {"System": system, MESSAGES: turns, RESPONSE: ""})
    if not _mentions(nodes, RESPONSE):
        nodes = [*nodes, Action(Field((RESPONSE,)), None)]
    return "".join(_turn_by_turn(nodes, turns))


def _collated(messages: Sequence[Message]) -> tuple[str, list[dict[str, str]]]:
    """Return all system texts as one, and the turns; those of one role that follow each other are one."""
    system = "\n\n".join(message.content for message in messages if message.role == "system")
    turns: list[dict[str, str]] = []
    for message in messages:
        if turns and turns[-1]["Role"] == message.role:
            turns[-1]["Content"] += f"\n\n{message.content}"
        else:
            turns.append({"Role": message.role, "Content": message.content})
    return system, turns


def _turn_by_turn(nodes: Sequence[Node], turns: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a rendering for each question with its answer; the last one ends where the answer would stand."""
    names = {"system": "System", "user": "Prompt", "assistant": RESPONSE}
    later = {"system": ("Prompt", RESPONSE), "user": (RESPONSE,), "assistant": ()}
    values = dict.fromkeys(names.values(), "")
    for turn in turns:
        role = turn["Role"]
        if role not in names:
            raise GoTemplateError(f"role {role}")
        if any(values[name] for name in later[role]):
            yield _Renderer().render(nodes, values)
            values = dict.fromkeys(names.values(), "")
        values[names[role]] = turn["Content"]
    yield _Renderer().render(_until_response(nodes)[0], values)


def _until_response(nodes: Sequence[Node]) -> tuple[list[Node], bool]:
    """Return the nodes up to the first that mentions `.Response`, and whether one did."""
    kept: list[Node] = []
    for node in nodes:
        if isinstance(node, Branch) and not _mentions([Action(node.condition, None)], RESPONSE):
            then, has_ended = _until_response(node.then)
            otherwise, ends_later = (list[Node](), False) if has_ended else _until_response(node.otherwise)
            kept.append(Branch(node.condition, then, otherwise, node.is_with))
            if has_ended or ends_later:
                return kept, True
        elif _mentions([node], RESPONSE):
            return [*kept, node] if isinstance(node, Action) else kept, True
        else:
            kept.append(node)
    return kept, False


def _mentions(nodes: Sequence[Node], name: str) -> bool:
    return any(name in _names(node) for node in nodes)


def _names(part: Any) -> Iterator[str]:
    """Yield the names of all fields in a node or an expression."""
    if isinstance(part, Field | Variable):
        yield from part.path
    if isinstance(part, Call):
        yield from (name for argument in part.arguments for name in _names(argument))
        yield from part.path
    if isinstance(part, Action):
        yield from _names(part.value)
    if isinstance(part, Branch):
        yield from _names(part.condition)
        yield from (name for node in (*part.then, *part.otherwise) for name in _names(node))
    if isinstance(part, Loop):
        yield from _names(part.items)
        yield from (name for node in (*part.body, *part.otherwise) for name in _names(node))


class _LeaveLoopError(GoTemplateError):
    """A `break` or `continue` on its way to its loop; without one it is an error."""


class _Renderer:
    """One rendering: the root, the current dot, variables, and a limit on steps."""

    def __init__(self) -> None:
        self._steps = 0

    def render(self, nodes: Sequence[Node], root: Mapping[str, Any]) -> str:
        """Return the text of a template for its data."""
        self._root = root
        return "".join(self._nodes(nodes, root, ChainMap()))

    def _nodes(self, nodes: Sequence[Node], dot: Any, variables: Scope) -> Iterator[str]:
        for node in nodes:
            self._steps += 1
            if self._steps > MAX_STEPS:
                raise GoTemplateError("too many steps")
            if isinstance(node, Text):
                yield node.text
            elif isinstance(node, Branch):
                yield from self._branch(node, dot, variables)
            elif isinstance(node, Loop):
                yield from self._loop(node, dot, variables)
            elif isinstance(node, Leave):
                raise _LeaveLoopError(node.word)
            else:
                value = self._value(node.value, dot, variables)
                if node.assigned is None:
                    yield _printed(value)
                else:
                    _home(variables, node)[node.assigned] = value

    def _branch(self, node: Branch, dot: Any, variables: Scope) -> Iterator[str]:
        value = self._value(node.condition, dot, variables)
        if _is_true(value):
            yield from self._nodes(node.then, value if node.is_with else dot, variables.new_child())
        else:
            yield from self._nodes(node.otherwise, dot, variables.new_child())

    def _loop(self, node: Loop, dot: Any, variables: Scope) -> Iterator[str]:
        items = self._value(node.items, dot, variables)
        if not isinstance(items, list | type(None)):
            raise GoTemplateError("range over something else than a list")
        for index, item in enumerate(items or ()):
            named = dict(zip(reversed(node.names), (item, index), strict=False))
            try:
                yield from self._nodes(node.body, item, variables.new_child(named))
            except _LeaveLoopError as leave:
                if leave.args == ("break",):
                    break
        if not items:
            yield from self._nodes(node.otherwise, dot, variables.new_child())

    def _value(self, part: Any, dot: Any, variables: Scope) -> Any:
        if isinstance(part, Literal):
            return part.value
        if isinstance(part, Field):
            return _member(dot, part.path)
        if isinstance(part, Variable):
            if part.name and part.name not in variables:
                raise GoTemplateError(f"${part.name}")
            return _member(variables[part.name] if part.name else self._root, part.path)
        if part.name in ("and", "or"):
            return self._logical(part, dot, variables)
        function = FUNCTIONS.get(part.name)
        if function is None:
            raise GoTemplateError(part.name)
        try:
            return _member(function(*(self._value(item, dot, variables) for item in part.arguments)), part.path)
        except (TypeError, IndexError, ValueError) as error:
            raise GoTemplateError(f"{part.name}: {error}") from error

    def _logical(self, part: Call, dot: Any, variables: Scope) -> Any:
        value: Any = None
        for item in part.arguments:
            value = self._value(item, dot, variables)
            if _is_true(value) != (part.name == "and"):
                break
        return value


def _home(variables: Scope, node: Action) -> MutableMapping[str, Any]:
    """Return the block that a variable belongs to."""
    if node.is_new:
        return variables.maps[0]
    home = next((names for names in variables.maps if node.assigned in names), None)
    if home is None:
        raise GoTemplateError(f"${node.assigned}")
    return home


def _member(value: Any, path: Sequence[str]) -> Any:
    """Return a field of a field; what a text conversation has not, such as `.Tools`, is nothing."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _is_true(value: Any) -> bool:
    return bool(value)


def _printed(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    if value is None:
        return ""
    raise GoTemplateError("printing a list")


def _equals(first: Any, *others: Any) -> bool:
    return any((first or "") == (other or "") if None in (first, other) else first == other for other in others)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "eq": _equals,
    "ne": lambda first, second: not _equals(first, second),
    "lt": lambda first, second: first < second,
    "le": lambda first, second: first <= second,
    "gt": lambda first, second: first > second,
    "ge": lambda first, second: first >= second,
    "not": lambda value: not _is_true(value),
    "len": lambda value: len(value or ()),
    "index": lambda value, *places: _indexed(value, places),
    "slice": lambda value, start=0, end=None: (value or [])[start:end],
}


def _indexed(value: Any, places: Sequence[Any]) -> Any:
    for place in places:
        if isinstance(place, int) and place < 0:
            raise IndexError(place)
        value = value[place]
    return value
