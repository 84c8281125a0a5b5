"""What a chat template gets of each turn: templates differ in how they want calls of tools and reasoning."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal

from llmlora.core.examples import Message
from llmlora.data.turn_parts import REASONING_KEYS

Reasoning = Literal["field", "inline", "opened", "hidden"]
THINK_START, THINK_END = "<think>", "</think>"
_PROBE_NAME, _PROBE_KEY, _PROBE_VALUE, _PROBE_RESULT = "probe_call", "probe_key", "probe_value", "probe-result-text"
PROBE_TOOLS = json.dumps(
    [{"type": "function", "function": {"name": _PROBE_NAME, "description": "", "parameters": {"type": "object"}}}]
)
PROBE_USER = Message("user", "probe-user-text")
_PROBE_FUNCTION = {"name": _PROBE_NAME, "arguments": {_PROBE_KEY: _PROBE_VALUE}}
PROBE_CALLS = (
    PROBE_USER,
    Message("assistant", "", json.dumps([{"type": "function", "id": "call_1", "function": _PROBE_FUNCTION}])),
    Message("tool", _PROBE_RESULT, tool_call_id="call_1", name=_PROBE_NAME),
)
PROBE_THOUGHT = "probe-thought-text"
PROBE_REASONING = (PROBE_USER, Message("assistant", "probe-answer-text", reasoning=PROBE_THOUGHT))


@dataclass(frozen=True)
class TurnStyle:
    """How a template wants its turns.

    `text_arguments`: the arguments of a call as JSON text, not as an object. `null_content`: a turn that only calls has
    no content. `short_ids`: ids of calls are nine letters and digits. `reasoning`: where the thoughts before an answer
    go: in a field of the turn, inside its content, in the block that the prompt opens, or nowhere.
    """

    text_arguments: bool = False
    null_content: bool = False
    short_ids: bool = False
    reasoning: Reasoning = "field"


def call_styles() -> Iterator[TurnStyle]:
    """Yield the ways to write calls of tools, the usual one first."""
    for short_ids, null_content, text_arguments in product((False, True), repeat=3):
        yield TurnStyle(text_arguments, null_content, short_ids)


def shows_calls(text: str) -> bool:
    """Tell whether a rendering of the probe shows its call, with arguments that are not Python's own notation."""
    has_all = all(part in text for part in (_PROBE_NAME, _PROBE_KEY, _PROBE_VALUE))
    return has_all and f"'{_PROBE_KEY}'" not in text and f'\\"{_PROBE_KEY}\\"' not in text


def shows_result(text: str) -> bool:
    """Tell whether a rendering of the probe shows what the tool answered."""
    return _PROBE_RESULT in text


def shows_tools(text: str) -> bool:
    """Tell whether a rendering shows the probe's tool."""
    return _PROBE_NAME in text


def with_thoughts(reasoning: str, content: str) -> str:
    """Return the text of an answer with its thoughts in front, as models write it."""
    return f"{THINK_START}\n{reasoning}\n{THINK_END}\n\n{content}"


def turn_values(turns: Sequence[Message], style: TurnStyle) -> list[dict[str, Any]]:
    """Return what a template gets of a conversation; a turn without calls and reasoning is just role and content."""
    ids = _CallIds(style.short_ids)
    return [_values(turn, style, ids) for turn in turns]


def _values(turn: Message, style: TurnStyle, ids: _CallIds) -> dict[str, Any]:
    value: dict[str, Any] = {"role": turn.role, "content": turn.content}
    if turn.reasoning and style.reasoning == "field":
        value |= dict.fromkeys(REASONING_KEYS, turn.reasoning)
    elif turn.reasoning and style.reasoning == "inline":
        value["content"] = with_thoughts(turn.reasoning, turn.content)
    if turn.tool_calls:
        calls = [_call(call, style, ids) for call in json.loads(turn.tool_calls)]
        value |= {"tool_calls": calls, "content": value["content"] or (None if style.null_content else "")}
    if turn.name:
        value["name"] = turn.name
    if turn.role == "tool" and (answered := ids.answered(turn.tool_call_id)):
        value["tool_call_id"] = answered
    return value


def _call(call: dict[str, Any], style: TurnStyle, ids: _CallIds) -> dict[str, Any]:
    function = dict(call["function"])
    arguments = function["arguments"]
    if style.text_arguments and not isinstance(arguments, str):
        function["arguments"] = json.dumps(arguments, ensure_ascii=False)
    elif not style.text_arguments and isinstance(arguments, str):
        function["arguments"] = _object(arguments)
    identity = ids.called(call.get("id", ""))
    return {"type": "function", **({"id": identity} if identity else {}), "function": function}


def _object(arguments: str) -> Any:
    """Return the object of JSON text; text that is none stays as its author wrote it."""
    try:
        value = json.loads(arguments) if arguments.strip() else {}
    except (ValueError, RecursionError):
        return arguments
    return value if isinstance(value, dict) else arguments


class _CallIds:
    """The ids of calls in one conversation; where a template wants short ones, each call gets its own by its place."""

    def __init__(self, short: bool) -> None:
        self._short = short
        self._new: dict[str, str] = {}
        self._open: list[str] = []
        self._count = 0

    def called(self, given: str) -> str:
        """Return the id of a call; its author gave `given`, or nothing."""
        if not self._short:
            return given
        self._count += 1
        identity = f"call{self._count:05d}"
        self._open.append(identity)
        if given:
            self._new[given] = identity
        return identity

    def answered(self, given: str) -> str:
        """Return the id of the call that a tool answers: the one it names, else the first without an answer."""
        if not self._short:
            return given
        identity = self._new.get(given) or (self._open[0] if self._open else "")
        if identity in self._open:
            self._open.remove(identity)
        return identity


def guarded_json(text: str, guard: Callable[[str], str]) -> str:
    """Return JSON text with every text in it, names of members too, passed through `guard`."""
    return json.dumps(_guarded(json.loads(text), guard), ensure_ascii=False) if text else ""


def _guarded(value: Any, guard: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return guard(value)
    if isinstance(value, list):
        return [_guarded(item, guard) for item in value]
    return {guard(key): _guarded(item, guard) for key, item in value.items()} if isinstance(value, dict) else value
