"""What else a turn or a row may hold beside its text: what was thought, earlier turns, and images or sound."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from llmlora.data.fields import MEDIA_COLUMNS, MEDIA_NAME, SYNONYMS, normalised, role_of
from llmlora.data.strict_json import JsonError, parse_json, value_in_text
from llmlora.data.tool_calls import EMPTY

REASONING_KEYS = ("reasoning_content", "reasoning", "thinking", "thought")
PAIR_FIELDS = ("instruction", "output")
SPOKEN = {"content", "value", "text", "message", "parts"}
MEDIA_REFERENCE = re.compile(
    r"\S.*\.(png|jpe?g|gif|webp|bmp|tiff?|heic|svg|mp3|wav|flac|ogg|m4a|mp4|mov|avi|mkv|webm)"
    r"|https?://\S+|[A-Za-z0-9+/]{200,}=*",
    re.IGNORECASE,
)
MEDIA_URIS = ("data:image/", "data:audio/", "data:video/")
MEDIA_PARTS = ("image", "video", "audio", "input_image", "input_audio")  # "image_url" and others begin with these


def reasoning_of(turn: Mapping[str, Any]) -> str:
    """Return what an assistant thought before its answer, under whichever usual name; "" when there is nothing."""
    found = (turn.get(key) for key in REASONING_KEYS)
    return next((text for text in found if isinstance(text, str) and text.strip()), "")


def media_in_row(row: Mapping[str, Any], columns: Iterable[str]) -> str | None:
    """Return the first of some columns that holds images, video or sound, None when there is none."""
    return next((name for name in columns if row.get(name) not in EMPTY and _is_media(name, row[name])), None)


def _is_media(name: str, value: Any) -> bool:
    """Tell whether a column holds a medium: by its name alone, or by its name or form and what stands in it.

    Where only the name sounds like one (photo: yes), the column is metadata.
    """
    is_known, is_named = _name_of_media(name)
    if is_known:
        return True
    if isinstance(value, list):
        is_numbers = is_named and isinstance(value[0], int | float)
        return is_numbers or (value[0] not in EMPTY and _is_media(name, value[0]))
    if isinstance(value, dict):
        return is_named or {"bytes", "path"} <= value.keys()  # as the datasets library keeps an image or a sound
    if not isinstance(value, str):
        return False
    return value.startswith(MEDIA_URIS) or (is_named and MEDIA_REFERENCE.fullmatch(value.strip()) is not None)


@lru_cache(maxsize=1024)  # the same few names in every row
def _name_of_media(name: str) -> tuple[bool, bool]:
    """Tell whether a name is that of media, and whether it sounds like one."""
    known = normalised(name)
    return known in MEDIA_COLUMNS, MEDIA_NAME.fullmatch(known) is not None


def media_in_turn(turn: Mapping[str, Any], content: Any) -> str | None:
    """Return what a turn holds that is no text: the type of a part of its content, or a key beside it."""
    parts = content if isinstance(content, list) else [content]
    kinds = (part.get("type") for part in parts if isinstance(part, dict))
    found = next((kind for kind in kinds if isinstance(kind, str) and kind.startswith(MEDIA_PARTS)), None)
    return found or media_in_row(turn, turn)


def pairs_as_turns(turns: list[Any]) -> list[Any]:
    """Return the turns of a conversation; what holds a question with its answer, and no role, becomes two of them."""
    found: list[Any] = []
    for turn in turns:
        pair = _pair_of(turn) if isinstance(turn, dict) and not _has_role(turn) else None
        system = [{"role": "system", "content": turn["system"]}] if pair and turn.get("system") else []
        found += [turn] if pair is None else [*system, *pair]
    return found


def is_conversation(value: Any) -> bool:
    """Tell whether a value, or the JSON text in a cell, is a list of turns that can be read."""
    turns = value_in_text(value) if isinstance(value, str) else value
    return isinstance(turns, list) and bool(turns) and all(map(_is_turn, pairs_as_turns(turns)))


def _is_turn(turn: Any) -> bool:
    if not isinstance(turn, dict) or _speaker(turn) is None:
        return False
    return isinstance(turn.get("content", turn.get("value")), str) or bool(turn.get("tool_calls"))


def is_like_turn(value: Mapping[str, Any]) -> bool:
    """Tell whether an object says who speaks and what: one turn, also in a form that is not read, and no whole row."""
    speaker = _speaker(value) or role_of(value.get("speaker"))
    return speaker is not None and any(normalised(key) in SPOKEN for key in value)


def conversation_of(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return a row whose prompt or completion is a list of turns as one conversation; None for any other row.

    Only the completion is learned, as TRL does: answers in the prompt are not.
    """
    if not any(isinstance(value, list) or _may_be_turns(value) for value in row.values()):
        return None  # most rows: their names are not looked at one by one
    names = {normalised(key): key for key in row}
    prompt, completion = names.get("prompt"), names.get("completion")
    if prompt is None or completion is None:
        return None
    sides = [value_in_text(side) if _may_be_turns(side) else side for side in (row[prompt], row[completion])]
    if not any(isinstance(side, list) for side in sides):
        return None
    asked, answered = _turns_or_text(sides[0], "user"), _turns_or_text(sides[1], "assistant")
    if asked is None or answered is None:
        return None
    earlier = [{**turn, "weight": 0} if _speaker(turn) == "assistant" else turn for turn in asked]
    rest = {key: value for key, value in row.items() if key not in (prompt, completion)}
    return {**rest, "messages": [*earlier, *answered]}


def _may_be_turns(value: Any) -> bool:
    """Tell whether a cell begins as a list of turns does."""
    return isinstance(value, str) and value.startswith("[{") and is_conversation(value)


def _turns_or_text(side: Any, role: str) -> list[dict[str, Any]] | None:
    if isinstance(side, str):
        return [{"role": role, "content": side}]
    is_talk = isinstance(side, list) and all(isinstance(turn, dict) and _has_role(turn) for turn in side)
    return list(side) if is_talk else None


def turns_of_history(value: Any) -> list[dict[str, Any]] | None:
    """Return earlier turns as role and content: pairs of question and answer, or turns already; None for other values.

    The list may be JSON text, as in a cell of a table; nothing at all gives no turns.
    """
    if isinstance(value, str) and value.strip():
        try:
            value = parse_json(value)
        except JsonError:
            return None
    if value in EMPTY or isinstance(value, str):
        return []
    if not isinstance(value, list):
        return None
    turns: list[dict[str, Any]] = []
    for item in value:
        found = _turns_of(item)
        if found is None:
            return None
        turns += found
    return turns


def _turns_of(item: Any) -> list[dict[str, Any]] | None:
    if isinstance(item, list):
        return _pair(*item) if len(item) == 2 else None
    if not isinstance(item, dict):
        return None
    if _has_role(item):
        return [item]
    return _pair_of(item)


def _speaker(turn: Mapping[str, Any]) -> str | None:
    return role_of(next((turn[name] for name in ("role", "from") if turn.get(name) is not None), None))


def _has_role(turn: Mapping[str, Any]) -> bool:
    return "role" in turn or "from" in turn


def _pair_of(item: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the two turns of an object that holds a question and its answer, None for another one."""
    named = {normalised(str(key)): value for key, value in item.items()}
    found = [next((named[name] for name in SYNONYMS[field] if name in named), None) for field in PAIR_FIELDS]
    return None if None in found else _pair(*found)


def _pair(question: Any, answer: Any) -> list[dict[str, Any]]:
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
