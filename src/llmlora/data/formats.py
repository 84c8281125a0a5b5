"""A raw row -> an Example: one function per format, and what may be wrong with a row of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from llmlora.core.errors import DatasetError
from llmlora.core.examples import DatasetFormat, Example, Message
from llmlora.core.locale import shell_word
from llmlora.data.column_findings import incomplete, maps_for, text_columns, two_columns, unknown_columns
from llmlora.data.column_findings import shown as shown_columns
from llmlora.data.fields import REQUIRED, RowMapping, columns_named, find_mapping, normalised, role_of
from llmlora.data.kept_out import LABELS, ROW_MARKS, TURN_MARKS, WEIGHTS, is_label, marks_in, masks_of, weight_of
from llmlora.data.preference import Preference, chosen_row, find_preference
from llmlora.data.problems import Problem, error, warning
from llmlora.data.raw import RawRow
from llmlora.data.strict_json import value_in_text
from llmlora.data.tool_calls import CALL_ROLES, UnreadableCallError, calls_of, tools_of
from llmlora.data.turn_parts import (
    REASONING_KEYS,
    conversation_of,
    media_in_row,
    media_in_turn,
    pairs_as_turns,
    reasoning_of,
    turns_of_history,
)

MAX_KEY_SETS = 1000
VISIBLE = re.compile("[^\\s\u200b\u200c\u200d\u2060\ufeff\u3164]")
CALL_KEYS = {"tool_calls", "function_call", "tool_call_id", "name"}
TURN_KEYS = {"role", "content", "from", "value", *CALL_KEYS, *REASONING_KEYS}
TEXT_PARTS = {"text", "input_text", "output_text"}
EMPTY_CELL = {
    "nan", "NaN", "NAN", "null", "NULL", "None", "undefined", "<NA>", "N/A", "#N/A", "#REF!", "#VALUE!", "#NAME?",
    "#DIV/0!", "#NULL!", "#NUM!",
}  # fmt: skip
ANSWER_FIELDS = {"output", "completion", "text"}
Found = tuple[Example | None, list[Problem]]


def is_blank(text: str) -> bool:
    """Tell whether a text has nothing to see; U+3000 and zero-width characters count as nothing."""
    return VISIBLE.search(text) is None


class RowReader:
    """Turn raw rows into examples; the first row whose columns are all known fixes the format of the file."""

    def __init__(
        self,
        wanted: DatasetFormat | None,
        columns: Mapping[str, str],
        has_header: bool = False,
        path: Path | None = None,
        keep_chosen: bool = False,
    ) -> None:
        self.wanted = wanted
        self.format: DatasetFormat | None = wanted
        self.mapping: RowMapping | None = None
        self.ignored: dict[str, None] = {}  # every column that was not used, in order of appearance
        self._given = dict(columns)
        self._absent = dict(columns)  # what no row had so far
        self._first: tuple[int, str] | None = None  # the line of the first row, and its columns
        self._has_header = has_header
        self._path = path or Path("data.jsonl")  # what the commands in hints name
        self._keep_chosen = keep_chosen
        self._pairs: dict[tuple[str, ...], Preference | None] = {}
        self._known: dict[tuple[str, ...], RowMapping | None] = {}
        self._is_fixed = wanted is not None

    def read(self, raw: RawRow) -> Found:
        """Return the example of a row (None when it has an error) and everything found in it.

        Raises:
            DatasetError: a table whose header names no known column, or several for the same thing.
        """
        self._first = self._first or (raw.line, shown_columns(raw) or "-")
        chosen = self._chosen(raw)
        if isinstance(chosen, Problem):
            return None, [chosen]
        raw = self._conversation(chosen)
        mapping = self._mapping_of(raw)
        if mapping is None or (self._has_header and self._lacks_given(raw)):
            return None, [self._unknown(raw)]
        if self._has_header and not mapping.is_complete:
            raise incomplete(raw, mapping)
        if mapping.rivals:
            return None, [self._raised_in_header(two_columns(raw, mapping))]
        if any(name in self._given and name not in mapping.columns for name in REQUIRED[mapping.format]):
            return None, [self._missing(raw)]
        if self._is_fixed and mapping.format != self.format:
            own = find_mapping(raw.value, self._given, self.format)
            if own is None:
                problem = error("format_differs", raw.line, raw.row, found=mapping.format, format=self.format)
                return None, [problem]
            mapping = own
        if mapping.is_complete or self.mapping is None:
            self._fix(mapping)
        left_out = _left_out(raw, mapping)
        if left_out is not None:
            return None, [left_out]
        media = media_in_row(raw.value, mapping.ignored)
        if media is not None:
            return None, [error("media_not_supported", raw.line, raw.row, None, media, kind=media)]
        example, problems = READERS[mapping.format](raw, mapping)
        problems.extend(self._row_weights(raw, mapping))
        if _is_plain_tools(raw, mapping) and len(self.ignored) < MAX_KEY_SETS:
            self.ignored.setdefault(mapping.columns["tools"], None)
        if mapping.format == "chat":
            self._note_turn_keys(raw, mapping)
        return (None if any(item.level == "error" for item in problems) else example), problems

    def _chosen(self, raw: RawRow) -> RawRow | Problem:
        """Return the row; of a pair of answers the row with the better one, or why there is none."""
        keys = tuple(raw.value)
        if keys not in self._pairs:
            if len(self._pairs) >= MAX_KEY_SETS:
                self._pairs.clear()
            self._pairs[keys] = find_preference(keys)
            self._absent = {name: word for name, word in self._absent.items() if not columns_named(word, keys)}
        pair = self._pairs[keys]
        if pair is not None and all(raw.value.get(name or "") is None for name in (pair.chosen, pair.rejected)):
            return raw  # an ordinary row of a file in which others are pairs
        if not self._keep_chosen:
            is_settled = any(name in ANSWER_FIELDS or name == "messages" for name in self._given)
            return raw if pair is None or is_settled else self._raised_in_header(self._preference(raw, pair))
        if pair is None:
            has_label = bool(marks_in(raw.value, LABELS))
            return raw if has_label else error("no_preference", raw.line, raw.row, columns=shown_columns(raw))
        kept = chosen_row(raw.value, pair)
        if kept is None:
            return warning("row_undecided", raw.line, raw.row, None, pair.verdict or pair.chosen)
        return replace(raw, value=kept)

    def _conversation(self, raw: RawRow) -> RawRow:
        """Return a row of prompt and completion as one conversation where one of them is a list of turns."""
        is_open = not self._given and self.wanted in (None, "chat")
        value = conversation_of(raw.value) if is_open else None
        return raw if value is None else replace(raw, value=value)

    def _preference(self, raw: RawRow, pair: Preference) -> Problem:
        output = self._path.with_name(f"{self._path.stem}-chosen.jsonl")
        command = f"llmlora dataset convert {shell_word(self._path)} --keep chosen -o {shell_word(output)}"
        return error("preference_data", raw.line, raw.row, columns=pair.shown, command=command)

    def _raised_in_header(self, problem: Problem) -> Problem:
        """Return a finding about the columns of a row; of a table, where they are those of all rows, raise it."""
        if self._has_header:
            raise DatasetError(problem.code, **{**problem.params, "line": 1})
        return problem

    def _row_weights(self, raw: RawRow, mapping: RowMapping) -> list[Problem]:
        """Return a warning for each weight of a row that is neither 0 nor 1; what is no mark counts as not used."""
        problems = []
        for column, value in marks_in(raw.value, (*ROW_MARKS, *LABELS), mapping.columns.values()).items():
            weight = weight_of(value)
            is_mark = weight is not None if normalised(column) in ROW_MARKS else is_label(value, mapping.format)
            is_mark = is_mark or (mapping.format == "chat" and _is_list(value))
            if not is_mark and len(self.ignored) < MAX_KEY_SETS:
                self.ignored.setdefault(column, None)
            if weight not in (None, 1.0) and normalised(column) in WEIGHTS:
                problems.append(warning("weight_not_used", *_place(raw, column), name=column, weight=value, turn="-"))
        return problems

    def _fix(self, mapping: RowMapping) -> None:
        if self.mapping is None or not self._is_fixed:
            self.mapping = mapping
            self.format = mapping.format
        self._is_fixed = self._is_fixed or mapping.is_complete

    def _mapping_of(self, raw: RawRow) -> RowMapping | None:
        mapping = self._mapping_by_names(tuple(key for key, value in raw.value.items() if value is not None))
        if mapping is not None and mapping.is_complete:
            return mapping
        return self._mapping_by_names(tuple(raw.value))

    def _mapping_by_names(self, keys: tuple[str, ...]) -> RowMapping | None:
        if keys not in self._known:
            if len(self._known) >= MAX_KEY_SETS:
                self._known.clear()
            mapping = find_mapping(keys, self._given, self.wanted)
            self._known[keys] = mapping
            if mapping is not None and len(self.ignored) < MAX_KEY_SETS:
                unused = (key for key in mapping.ignored if normalised(key) not in (*ROW_MARKS, *LABELS))
                self.ignored.update(dict.fromkeys(unused))
        return self._known[keys]

    def _lacks_given(self, raw: RawRow) -> bool:
        """Tell whether a table lacks a column that `--map` names."""
        present = list(raw.value) if self._given else []
        return any(not columns_named(column, present) for column in self._given.values())

    def _note_turn_keys(self, raw: RawRow, mapping: RowMapping) -> None:
        """Remember what stands in the turns of a conversation beside role, content and calls."""
        column = mapping.columns.get("messages", "")
        turns = raw.value.get(column)
        turns = value_in_text(turns) if isinstance(turns, str) else turns
        for turn in pairs_as_turns(turns) if isinstance(turns, list) else ():
            if isinstance(turn, dict) and len(self.ignored) < MAX_KEY_SETS:
                self.ignored.update((f"{column}[].{key[:40]}", None) for key in _unused_keys(turn))

    def finish(self) -> None:
        """Check, after the last row, that every column that `--map` names was there in one of them.

        Raises:
            DatasetError: `mapped_column_missing`.
        """
        if self._absent and self._first is not None:
            line, columns = self._first
            wanted = ", ".join(self._absent.values())
            raise DatasetError("mapped_column_missing", line=line, wanted=wanted, columns=columns)

    def _missing(self, raw: RawRow) -> Problem:
        """Return the error of a row without a column that `--map` names."""
        wanted = [column for column in self._given.values() if not columns_named(column, list(raw.value))]
        named = ", ".join(wanted or self._given.values())
        return error("mapped_column_missing", raw.line, raw.row, wanted=named, columns=shown_columns(raw) or "-")

    def _unknown(self, raw: RawRow) -> Problem:
        shown = shown_columns(raw)
        if self._given:
            problem = self._missing(raw)
        elif not raw.value:
            problem = error("empty_row", raw.line, raw.row)
        elif self.wanted is not None:
            params = {"format": self.wanted, "needed": ", ".join(REQUIRED[self.wanted]), "columns": shown}
            name = REQUIRED[self.wanted][0]
            problem = Problem("error", "columns_lack_format", raw.line, raw.row, params={**params, "name": name})
        else:
            problem = unknown_columns(raw, self._has_header)
        return self._raised_in_header(problem)


def _unused_keys(turn: Mapping[str, Any]) -> list[str]:
    """Return what a turn holds that is not read: other keys, and of two for the same thing the second."""
    marks = marks_in(turn, TURN_MARKS)
    unused = [key for key, value in turn.items() if key not in TURN_KEYS and key not in marks and value is not None]
    for first, second in (("role", "from"), ("content", "value")):
        both = (turn.get(first), turn.get(second))
        unused += [second] if None not in both and both[0] != both[1] else []
    thoughts = [key for key in REASONING_KEYS if turn.get(key) not in (None, "", [], {})]
    return unused + [key for key in thoughts if not reasoning_of(turn) or _role(turn) != "assistant"]


def _left_out(raw: RawRow, mapping: RowMapping) -> Problem | None:
    """Return why a row is not learned because its author said so, or None."""
    used = mapping.columns.values()
    marks = {
        column: value
        for column, value in marks_in(raw.value, ROW_MARKS, used).items()
        if (weight := weight_of(value)) is not None and weight <= 0
    }
    labels = marks_in(raw.value, LABELS, used)
    marks |= {column: value for column, value in labels.items() if _is_bad(value, mapping.format)}
    if not marks:
        return None
    column, value = next(iter(marks.items()))
    return _kept_out(raw, f"{column}: {json.dumps(value, ensure_ascii=False)}")


def _place(raw: RawRow, column: str) -> tuple[int, int, None, str]:
    return raw.line, raw.row, None, column


def _is_list(value: Any) -> bool:
    return isinstance(value_in_text(value) if isinstance(value, str) else value, list)


def _is_bad(label: Any, format_name: str) -> bool:
    return is_label(label, format_name) and weight_of(label) == 0


def _kept_out(raw: RawRow, mark: str) -> Problem:
    return warning("row_kept_out", raw.line, raw.row, mark=mark)


def _text(raw: RawRow, mapping: RowMapping, name: str, problems: list[Problem], may_be_blank: bool = False) -> str:
    """Return the text of a field, adding what is wrong with it."""
    column = mapping.columns.get(name)
    value = _value(raw, mapping, name)
    is_answer = name in ANSWER_FIELDS
    shown = column or name
    if value is None:
        code = "missing_answer" if is_answer else "missing_question"
        maps = maps_for(name, text_columns(raw, mapping.ignored))
        problems.append(error(code, raw.line, raw.row, None, shown, name=name, maps=maps))
    elif not isinstance(value, str):
        code = "answer_not_text" if is_answer else "question_not_text"
        problems.append(error(code, raw.line, raw.row, None, shown, kind=_kind(value)))
    elif is_blank(value) and not may_be_blank:
        problems.append(error("blank_answer" if is_answer else "blank_question", raw.line, raw.row, None, shown))
    else:
        problems.extend(_empty_cell(raw, shown, value))
        return value
    return ""


def _optional(raw: RawRow, mapping: RowMapping, name: str, problems: list[Problem]) -> str:
    column = mapping.columns.get(name)
    value = _value(raw, mapping, name)
    if value is None or isinstance(value, str):
        problems.extend(_empty_cell(raw, column, value or ""))
        return value or ""
    problems.append(error("question_not_text", raw.line, raw.row, None, column, kind=_kind(value)))
    return ""


def _empty_cell(raw: RawRow, column: str | None, text: str) -> list[Problem]:
    """Return a warning for a text that programs write for an empty cell; it would be learned as it stands."""
    word = text.strip()
    return [warning("empty_cell_word", raw.line, raw.row, None, column, text=word)] if word in EMPTY_CELL else []


def _value(raw: RawRow, mapping: RowMapping, name: str) -> Any:
    """Return what stands in the column of a field; of several columns their texts, each under its name."""
    if name not in mapping.joined:
        return raw.value.get(mapping.columns.get(name, ""))
    values = {column: raw.value.get(column) for column in mapping.joined[name]}
    texts = {column: text for column, text in values.items() if text is not None}
    other = next((value for value in texts.values() if not isinstance(value, str)), None)
    if other is not None or not texts:
        return other
    return "\n".join(f"{column}:\n{text}" for column, text in texts.items() if not is_blank(text))


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
    reasoning = _optional(raw, mapping, "reasoning", problems)
    messages = [Message("user", "\n".join(parts)), Message("assistant", answer, reasoning=reasoning)]
    if "history" in mapping.columns:
        messages = [*_history(raw, mapping.columns["history"], problems), *messages]
    if not is_blank(system):
        messages.insert(0, Message("system", system))
    tools = "" if _is_plain_tools(raw, mapping) else _tools(raw, mapping, problems)
    return Example(raw.row, raw.line, messages=tuple(messages), tools=tools), problems


def _history(raw: RawRow, column: str, problems: list[Problem]) -> list[Message]:
    """Return the earlier turns of an instruction row; they are learned like the last one, as LLaMA-Factory does."""
    turns = turns_of_history(raw.value.get(column))
    if turns is None:
        problems.append(error("history_not_pairs", raw.line, raw.row, None, column))
    found = (_turn(turn, number, raw, column, problems) for number, turn in enumerate(turns or (), 1))
    return [message for message in found if message is not None]


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
    if isinstance(turns, str):
        turns = value_in_text(turns)
    if turns is None:
        maps = maps_for("messages", ())
        return None, [error("missing_answer", raw.line, raw.row, None, column, name="messages", maps=maps)]
    if not isinstance(turns, list):
        return None, [error("messages_not_list", raw.line, raw.row, None, column, kind=_kind(turns))]
    turns = pairs_as_turns(turns)
    problems: list[Problem] = []
    system = _optional(raw, mapping, "system", problems)
    messages = [Message("system", system)] if not is_blank(system) else []
    masks = _masks(raw, turns, column, problems)
    for place, turn in enumerate(turns):
        message = _turn(turn, place + 1, raw, column, problems) if turn is not None else None
        if message is not None:
            messages.append(message if masks.get(place, 1) > 0 else replace(message, learned=False))
    tools = _tools(raw, mapping, problems)
    if any(item.level == "error" for item in problems):
        return None, problems
    problems.extend(_conversation_problems(messages, raw, column))
    answers = [turn for turn in messages if turn.role == "assistant"]
    if answers and not any(turn.learned for turn in answers):
        return None, [_kept_out(raw, column)]
    return Example(raw.row, raw.line, messages=tuple(messages), tools=tools), problems


def _tools(raw: RawRow, mapping: RowMapping, problems: list[Problem]) -> str:
    column = mapping.columns.get("tools")
    try:
        return tools_of(raw.value.get(column)) if column is not None else ""
    except UnreadableCallError as failure:
        problems.append(error("tools_unreadable", raw.line, raw.row, None, column, text=str(failure)[:60]))
        return ""


def _is_plain_tools(raw: RawRow, mapping: RowMapping) -> bool:
    """Tell whether the tools of an instruction row are words ("a broom") and define nothing to be called."""
    value = raw.value.get(mapping.columns.get("tools", ""))
    is_words = isinstance(value, str) and not is_blank(value) and not value.lstrip().startswith(("[", "{"))
    return mapping.format == "instruction" and is_words


def _masks(raw: RawRow, turns: list[Any], column: str, problems: list[Problem]) -> dict[int, float]:
    """Return the weights of turns (0-based) that the row lists beside them."""
    found: dict[int, float] = {}
    answers = [place for place, turn in enumerate(turns) if isinstance(turn, dict) and _role(turn) == "assistant"]
    for name, mark in marks_in(raw.value, ROW_MARKS, (column,)).items():
        value = value_in_text(mark) if isinstance(mark, str) else mark
        if not isinstance(value, list):
            continue
        masks = masks_of(value, len(turns), answers)
        if masks is None:
            problems.append(
                error("mask_not_fitting", raw.line, raw.row, None, name, found=len(value), turns=len(turns))
            )
        problems.extend(
            warning("weight_not_used", raw.line, raw.row, None, name, name=name, weight=weight, turn=place + 1)
            for place, weight in (masks or {}).items()
            if weight not in (0, 1)
        )
        found |= masks or {}
    return found


def _role(turn: Mapping[str, Any]) -> str | None:
    return role_of(_first_given(turn, "role", "from"))


def _first_given(turn: Mapping[str, Any], *names: str) -> Any:
    """Return the first value that is there; null counts as absent, as where many rows were made one table."""
    return next((turn[name] for name in names if turn.get(name) is not None), None)


def _is_learned(turn: Mapping[str, Any], place: Callable[..., None]) -> bool:
    """Tell whether the author lets a turn be learned; `place` takes a warning about a weight that is not used."""
    is_learned = True
    for name, value in marks_in(turn, TURN_MARKS).items():
        weight = weight_of(value)
        if weight is not None and weight <= 0:
            is_learned = False
        elif weight != 1:
            place("weight_not_used", weight=_kind(value) if isinstance(value, list | dict) else value, name=name)
    return is_learned


def _turn(turn: Any, number: int, raw: RawRow, column: str, problems: list[Problem]) -> Message | None:
    def wrong(code: str, **params: Any) -> None:
        problems.append(error(code, raw.line, raw.row, None, column, turn=number, **params))

    if not isinstance(turn, dict):
        wrong("turn_not_object", kind=_kind(turn))
        return None

    def noted(code: str, **params: Any) -> None:
        problems.append(warning(code, raw.line, raw.row, None, column, turn=number, **params))

    role = _role(turn)
    if role is None:
        given_role = _first_given(turn, "role", "from")
        wrong("missing_role") if given_role is None else wrong("unknown_role", role=str(given_role)[:30])
        return None
    given_content = _first_given(turn, "content", "value")
    media = media_in_turn(turn, given_content)
    if media is not None:
        wrong("media_not_supported", kind=media)
        return None
    content, named = _joined_parts(given_content), normalised(str(_first_given(turn, "role", "from")))
    learned = _is_learned(turn, noted)
    try:
        calls = calls_of(turn, named, content) if role == "assistant" else ""
    except UnreadableCallError as failure:
        wrong("tool_call_unreadable", text=str(failure)[:60])
        return None
    content = None if named in CALL_ROLES else content
    has_calls = bool(calls) or role == "tool"
    given = {key: turn[key] for key in ("tool_call_id", "name") if isinstance(turn.get(key), str)}
    if role == "assistant":
        given["reasoning"] = reasoning_of(turn)
    if role == "tool" and isinstance(content, dict):
        content = json.dumps(content, ensure_ascii=False)
    if content is None and has_calls:
        return Message(role, "", calls, learned, **given)
    if isinstance(content, list | dict):
        wrong("mixed_content", kind=_kind(content))
    elif not isinstance(content, str):
        wrong("missing_content" if content is None else "content_not_text", kind=_kind(content))
    elif role == "assistant" and is_blank(content) and not has_calls:
        wrong("blank_turn")
    else:
        if role == "user" and is_blank(content):
            problems.append(warning("blank_user_turn", raw.line, raw.row, None, column, turn=number))
        return Message(role, content, calls, learned, **given)
    return None


def _joined_parts(content: Any) -> Any:
    """Return the text of a content that is a list of text parts, joined by line breaks; else the content itself."""
    if not isinstance(content, list) or not content:
        return content
    texts = [
        part["text"]
        for part in content
        if isinstance(part, dict) and part.get("type") in TEXT_PARTS and isinstance(part.get("text"), str)
    ]
    return "\n".join(texts) if len(texts) == len(content) else content


def _conversation_problems(messages: list[Message], raw: RawRow, column: str) -> list[Problem]:
    place = (raw.line, raw.row, None, column)
    roles = [message.role for message in messages]
    answers = [
        turn for turn in messages if turn.role == "assistant" and (turn.tool_calls or not is_blank(turn.content))
    ]
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
