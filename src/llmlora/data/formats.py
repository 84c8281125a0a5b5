"""A raw row -> an Example: one function per format, and what may be wrong with a row of it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from llmlora.core.errors import DatasetError
from llmlora.core.examples import DatasetFormat, Example, Message
from llmlora.data.fields import REQUIRED, RowMapping, find_mapping, normalised, role_of
from llmlora.data.problems import Problem, error, warning
from llmlora.data.raw import RawRow

MAX_KEY_SETS = 1000
VISIBLE = re.compile("[^\\s\u200b\u200c\u200d\u2060\ufeff\u3164]")
TURN_KEYS = {"role", "content", "from", "value", "tool_calls"}
ANSWER_FIELDS = {"output", "completion", "text"}
Found = tuple[Example | None, list[Problem]]


def is_blank(text: str) -> bool:
    """Tell whether a text has nothing to see; U+3000 and zero-width characters count as nothing."""
    return VISIBLE.search(text) is None


class RowReader:
    """Turn raw rows into examples; the first row whose columns are all known fixes the format of the file."""

    def __init__(self, wanted: DatasetFormat | None, columns: Mapping[str, str], has_header: bool = False) -> None:
        self.wanted = wanted
        self.format: DatasetFormat | None = wanted
        self.mapping: RowMapping | None = None
        self.ignored: dict[str, None] = {}  # every column that was not used, in order of appearance
        self._given = dict(columns)
        self._has_header = has_header
        self._known: dict[tuple[str, ...], RowMapping | None] = {}
        self._is_fixed = wanted is not None

    def read(self, raw: RawRow) -> Found:
        """Return the example of a row (None when it has an error) and everything found in it.

        Raises:
            DatasetError: a table whose header names no known column.
        """
        mapping = self._mapping_of(raw)
        if mapping is None or (self._has_header and self._lacks_given(raw)):
            return None, [self._unknown(raw)]
        if self._has_header and not mapping.is_complete:
            raise _incomplete(raw, mapping)
        if self._is_fixed and mapping.format != self.format:
            own = find_mapping(raw.value, self._given, self.format)
            if own is None:
                problem = error("format_differs", raw.line, raw.row, found=mapping.format, format=self.format)
                return None, [problem]
            mapping = own
        if mapping.is_complete or self.mapping is None:
            self._fix(mapping)
        example, problems = READERS[mapping.format](raw, mapping)
        if mapping.format == "chat":
            self._note_turn_keys(raw, mapping)
        return (None if any(item.level == "error" for item in problems) else example), problems

    def _fix(self, mapping: RowMapping) -> None:
        if self.mapping is None or not self._is_fixed:
            self.mapping = mapping
            self.format = mapping.format
        self._is_fixed = self._is_fixed or mapping.is_complete

    def _mapping_of(self, raw: RawRow) -> RowMapping | None:
        keys = tuple(raw.value)
        if keys not in self._known:
            if len(self._known) >= MAX_KEY_SETS:
                self._known.clear()
            mapping = find_mapping(keys, self._given, self.wanted)
            self._known[keys] = mapping
            if mapping is not None and len(self.ignored) < MAX_KEY_SETS:
                self.ignored.update(dict.fromkeys(mapping.ignored))
        return self._known[keys]

    def _lacks_given(self, raw: RawRow) -> bool:
        """Tell whether a table lacks a column that `--map` names."""
        present = {normalised(name) for name in raw.value} if self._given else set()
        return any(normalised(column) not in present for column in self._given.values())

    def _note_turn_keys(self, raw: RawRow, mapping: RowMapping) -> None:
        """Remember what stands in the turns of a conversation beside role, content and calls."""
        column = mapping.columns.get("messages", "")
        turns = raw.value.get(column)
        for turn in turns if isinstance(turns, list) else ():
            if isinstance(turn, dict) and len(self.ignored) < MAX_KEY_SETS:
                self.ignored.update((f"{column}[].{key[:40]}", None) for key in turn if key not in TURN_KEYS)

    def _unknown(self, raw: RawRow) -> Problem:
        shown = _shown(raw)
        if self._given:
            wanted = ", ".join(self._given.values())
            problem = error("mapped_column_missing", raw.line, raw.row, wanted=wanted, columns=shown or "-")
        elif not raw.value:
            problem = error("empty_row", raw.line, raw.row)
        elif self.wanted is not None:
            params = {"format": self.wanted, "needed": ", ".join(REQUIRED[self.wanted]), "columns": shown}
            name = REQUIRED[self.wanted][0]
            problem = Problem("error", "columns_lack_format", raw.line, raw.row, params={**params, "name": name})
        else:
            column = next(iter(raw.value))[:40]
            problem = error("unknown_columns", raw.line, raw.row, columns=shown, column_name=column)
        if self._has_header:
            raise DatasetError(problem.code, **{**problem.params, "line": 1})
        return problem


def _incomplete(raw: RawRow, mapping: RowMapping) -> DatasetError:
    """Return the error of a table without a column for something that every row needs."""
    lacking = next(name for name in REQUIRED[mapping.format] if name not in mapping.columns)
    return DatasetError("column_missing", line=1, name=lacking, columns=_shown(raw))


def _shown(raw: RawRow) -> str:
    names = [name[:40] for name in raw.value]
    return ", ".join(names[:10]) + (", …" if len(names) > 10 else "")


def _text(raw: RawRow, mapping: RowMapping, name: str, problems: list[Problem], may_be_blank: bool = False) -> str:
    """Return the text of a field, adding what is wrong with it."""
    column = mapping.columns.get(name)
    value = raw.value.get(column) if column is not None else None
    is_answer = name in ANSWER_FIELDS
    shown = column or name
    if value is None:
        code = "missing_answer" if is_answer else "missing_question"
        problems.append(error(code, raw.line, raw.row, None, shown, name=name))
    elif not isinstance(value, str):
        code = "answer_not_text" if is_answer else "question_not_text"
        problems.append(error(code, raw.line, raw.row, None, shown, kind=_kind(value)))
    elif is_blank(value) and not may_be_blank:
        problems.append(error("blank_answer" if is_answer else "blank_question", raw.line, raw.row, None, shown))
    else:
        return value
    return ""


def _optional(raw: RawRow, mapping: RowMapping, name: str, problems: list[Problem]) -> str:
    column = mapping.columns.get(name)
    value = raw.value.get(column) if column is not None else None
    if value is None or isinstance(value, str):
        return value or ""
    problems.append(error("question_not_text", raw.line, raw.row, None, column, kind=_kind(value)))
    return ""


def _kind(value: Any) -> str:
    """Return JSON's word for the type of a value."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    if isinstance(value, list):
        return "array"
    return "object" if isinstance(value, dict) else "string" if isinstance(value, str) else "null"


def read_instruction(raw: RawRow, mapping: RowMapping) -> Found:
    """Return question and answer as messages; `input` follows the instruction on a new line."""
    problems: list[Problem] = []
    context = _optional(raw, mapping, "input", problems)
    system = _optional(raw, mapping, "system", problems)
    question = _text(raw, mapping, "instruction", problems, may_be_blank=not is_blank(context))
    answer = _text(raw, mapping, "output", problems)
    parts = [part for part in (question, context) if not is_blank(part)]
    messages = [Message("user", "\n".join(parts)), Message("assistant", answer)]
    if not is_blank(system):
        messages.insert(0, Message("system", system))
    return Example(raw.row, raw.line, messages=tuple(messages)), problems


def read_completion(raw: RawRow, mapping: RowMapping) -> Found:
    """Return the given and the learned part; the given part may be empty."""
    problems: list[Problem] = []
    prompt = _text(raw, mapping, "prompt", problems, may_be_blank=True)
    completion = _text(raw, mapping, "completion", problems)
    return Example(raw.row, raw.line, prompt=prompt, completion=completion), problems


def read_text(raw: RawRow, mapping: RowMapping) -> Found:
    """Return the text as it is."""
    problems: list[Problem] = []
    text = _text(raw, mapping, "text", problems)
    return Example(raw.row, raw.line, text=text), problems


def read_chat(raw: RawRow, mapping: RowMapping) -> Found:
    """Return the turns of a conversation; `from`/`value` turns become role and content."""
    column = mapping.columns.get("messages", "messages")
    turns = raw.value.get(column)
    if turns is None:
        return None, [error("missing_answer", raw.line, raw.row, None, column, name="messages")]
    if not isinstance(turns, list):
        return None, [error("messages_not_list", raw.line, raw.row, None, column, kind=_kind(turns))]
    problems: list[Problem] = []
    system = _optional(raw, mapping, "system", problems)
    messages = [Message("system", system)] if not is_blank(system) else []
    for number, turn in enumerate(turns, 1):
        message = _turn(turn, number, raw, column, problems)
        if message is not None:
            messages.append(message)
    if not any(item.level == "error" for item in problems):
        problems.extend(_conversation_problems(messages, raw, column))
    return Example(raw.row, raw.line, messages=tuple(messages)), problems


def _turn(turn: Any, number: int, raw: RawRow, column: str, problems: list[Problem]) -> Message | None:
    def wrong(code: str, **params: Any) -> None:
        problems.append(error(code, raw.line, raw.row, None, column, turn=number, **params))

    if not isinstance(turn, dict):
        wrong("turn_not_object", kind=_kind(turn))
        return None
    named = turn.get("role", turn.get("from"))
    role = role_of(named)
    if role is None:
        wrong("unknown_role", role=str(named)[:30])
        return None
    content = turn.get("content", turn.get("value"))
    calls = json.dumps(turn["tool_calls"], ensure_ascii=False) if turn.get("tool_calls") else ""
    has_calls = bool(calls) or role == "tool"
    if has_calls:
        problems.append(warning("tool_calls", raw.line, raw.row, None, column, turn=number))
    if content is None and has_calls:
        return Message(role, "", calls)
    if isinstance(content, list | dict):
        wrong("mixed_content", kind=_kind(content))
    elif not isinstance(content, str):
        wrong("missing_content" if content is None else "content_not_text", kind=_kind(content))
    elif role == "assistant" and is_blank(content) and not has_calls:
        wrong("blank_turn")
    else:
        if role == "user" and is_blank(content):
            problems.append(warning("blank_user_turn", raw.line, raw.row, None, column, turn=number))
        return Message(role, content, calls)
    return None


def _conversation_problems(messages: list[Message], raw: RawRow, column: str) -> list[Problem]:
    place = (raw.line, raw.row, None, column)
    roles = [message.role for message in messages]
    answers = [message for message in messages if message.role == "assistant" and not is_blank(message.content)]
    if not answers:
        return [error("no_assistant", *place)]
    problems = []
    if "system" in roles[1:]:
        problems.append(warning("late_system", *place, turn=roles.index("system", 1) + 1))
    if roles[-1] != "assistant":
        problems.append(warning("ends_without_answer", *place, role=roles[-1]))
    talk = [role for role in roles if role != "system"]
    if talk[0] == "assistant" or any(first == second != "tool" for first, second in pairwise(talk)):
        problems.append(warning("turns_not_alternating", *place))
    return problems


READERS = {
    "instruction": read_instruction,
    "chat": read_chat,
    "completion": read_completion,
    "text": read_text,
}
