"""Calls of tools and the tools themselves, in the forms that data files have, as the lists that chat templates take."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llmlora.data.strict_json import JsonError, parse_json

CALL_ROLES = {"function_call", "tool_call", "tool_calls"}  # ShareGPT: the speaker says that the text is a call
ARGUMENTS = ("arguments", "parameters", "args", "input")  # OpenAI, Llama, LangChain, Anthropic
CALL_KEYS = {*ARGUMENTS, "id", "type", "name", "index", "function", "description"}
EMPTY: tuple[Any, ...] = (None, "", [], {})


class UnreadableCallError(ValueError):
    """A value that is no call of a tool, or no list of tools."""


def calls_of(turn: Mapping[str, Any], role_word: str, content: Any) -> str:
    """Return the calls in a turn as JSON text of a list, "" when it has none.

    They stand in `tool_calls`, in the older `function_call`, or are the content of a ShareGPT turn by `function_call`.
    Arguments keep the form they have, an object or its JSON text.

    Raises:
        UnreadableCallError: neither a call nor a list of calls.
    """
    for value in (turn.get("tool_calls"), turn.get("function_call")):
        if value not in EMPTY:
            return _text([_call(item) for item in _listed(value)])
    if role_word in CALL_ROLES:
        return _text([_call(item) for item in _listed(content)])
    return ""


def tools_of(value: Any) -> str:
    """Return the tools of a row as JSON text of a list, "" when there are none; the list may be JSON text itself.

    Raises:
        UnreadableCallError: no list of tools.
    """
    if value in EMPTY or (isinstance(value, str) and not value.strip()):
        return ""
    tools = [_tool(item) for item in _listed(value)]
    return _text(tools) if tools else ""


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        try:
            value = parse_json(value)
        except JsonError as refusal:
            raise UnreadableCallError(value) from refusal
    if isinstance(value, Mapping):
        return [value]
    if not isinstance(value, list):
        raise UnreadableCallError(str(value))
    return value


def _call(item: Any) -> dict[str, Any]:
    """Return {type, id, function: {name, arguments}}; a bare {name, arguments} becomes its function."""
    function = item.get("function", item) if isinstance(item, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(name, str) or not name.strip():
        raise UnreadableCallError(str(item))
    arguments = next((function[key] for key in ARGUMENTS if function.get(key) is not None), None)
    is_told = arguments is not None or not function.keys() - CALL_KEYS
    if not isinstance(arguments, str | Mapping | None) or not is_told:
        raise UnreadableCallError(str(item))
    given = {"id": item["id"]} if isinstance(item.get("id"), str) and item["id"] else {}
    return {
        "type": "function",
        **given,
        "function": {"name": name, "arguments": {} if arguments is None else arguments},
    }


def _tool(item: Any) -> dict[str, Any]:
    """Return {type, function}; a bare {name, parameters} becomes its function."""
    function = item.get("function", item) if isinstance(item, Mapping) else None
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UnreadableCallError(str(item))
    return dict(item) if "function" in item else {"type": "function", "function": dict(item)}


def _text(value: list[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
