"""What is worth knowing about rows that can be trained on: each check looks at the texts of one row."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from llmlora.core.examples import Example, Message
from llmlora.data.japanese import MOJIBAKE, MOJIBAKE_HINT, masked, personal_data
from llmlora.data.problems import Problem, warning

SNIPPET = 24
CONTROL_TOKEN = re.compile(
    r"<\|[A-Za-z0-9_/ -]{1,40}\|>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start|end)_of_turn>|<(?:unk|pad|bos|eos|mask)>"
    r"|<\uff5c[^<>\uff5c]{1,40}\uff5c>|\[(?:PAD|UNK|CLS|SEP|MASK|BOS|EOS)\]"
)
# U+200D joins emoji and U+200C is a letter form in some scripts; the others have no place in training text.
ZERO_WIDTH = re.compile("[\u200b\u2060\ufeff\u00ad\u180e]")
BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
CONTROL = re.compile("[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


def texts_of(example: Example) -> list[tuple[str, str]]:
    """Return (field name, text) of everything in a row."""
    if example.messages:
        return [(message.role, message.content) for message in example.messages]
    if example.text is not None:
        return [("text", example.text)]
    return [("prompt", example.prompt or ""), ("completion", example.completion or "")]


def question_and_answer(example: Example) -> tuple[str, str]:
    """Return what is given and what is learned: up to the last answer, and the last answer."""
    if example.text is not None:
        return example.text, ""
    if not example.messages:
        return (example.prompt or "", example.completion or "")
    last = max(place for place, turn in enumerate(example.messages) if turn.role == "assistant" and turn.learned)
    turns = [message for place, message in enumerate(example.messages) if place != last]
    question = _said(turns[0]) if len(turns) == 1 else "\n".join(f"{turn.role}\0{_said(turn)}" for turn in turns)
    return question, _said(example.messages[last])


def answers_of(example: Example) -> list[str]:
    """Return the texts of a row that are learned."""
    if example.messages:
        return [_said(turn) for turn in example.messages if turn.role == "assistant" and turn.learned]
    return [example.completion if example.completion is not None else example.text or ""]


def _said(message: Message) -> str:
    """Return what stands in a turn: its text and its calls of tools."""
    return f"{message.content}\n{message.tool_calls}" if message.tool_calls else message.content


def _place(example: Example, name: str) -> tuple[int, int, None, str]:
    return example.line, example.row, None, name


def _visible(text: str, start: int) -> str:
    """Return the surroundings of a position with invisible characters written as U+XXXX."""
    piece = text[max(0, start - 8) : start + SNIPPET - 8]
    shown = (
        char if char.isprintable() and unicodedata.category(char) not in ("Cf", "Mn", "Co") else f"<U+{ord(char):04X}>"
        for char in piece
    )
    return "".join(shown)


def _pattern_check(code: str, pattern: re.Pattern[str]) -> Callable[[Example, str, str], Iterator[Problem]]:
    def check(example: Example, name: str, text: str) -> Iterator[Problem]:
        match = pattern.search(text)
        if match:
            found = f"U+{ord(match.group()):04X}" if len(match.group()) == 1 else match.group()
            yield warning(code, *_place(example, name), found=found, text=_visible(text, match.start()))

    return check


def _nul_escape(example: Example, name: str, text: str) -> Iterator[Problem]:
    if "\0" in text:
        yield warning("nul_escape", *_place(example, name), position=text.index("\0") + 1)


def _not_nfc(example: Example, name: str, text: str) -> Iterator[Problem]:
    if text.isascii() or unicodedata.is_normalized("NFC", text):
        return
    changed = unicodedata.normalize("NFC", text)
    pairs = zip(text, changed, strict=False)
    start = next((place for place, (old, new) in enumerate(pairs) if old != new), len(changed) - 1)
    yield warning("not_nfc", *_place(example, name), text=_visible(text, start))


def _personal_data(example: Example, name: str, text: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for code, found in personal_data(text):
        if code not in seen:
            seen.add(code)
            yield warning(code, *_place(example, name), text=masked(found))


_control_tokens = _pattern_check("control_tokens", CONTROL_TOKEN)
_mojibake = _pattern_check("mojibake", MOJIBAKE)
INVISIBLE_CHECKS: tuple[Callable[[Example, str, str], Iterator[Problem]], ...] = (
    _nul_escape,
    _pattern_check("control_characters", CONTROL),
    _pattern_check("zero_width", ZERO_WIDTH),
    _pattern_check("bidi_controls", BIDI),
)


def row_warnings(example: Example) -> Iterator[Problem]:
    """Yield what is worth knowing about one row, at most once per code and text."""
    for name, text in texts_of(example):
        if not text.replace("\n", "").replace("\u3000", "").isprintable():
            for check in INVISIBLE_CHECKS:
                yield from check(example, name, text)
        if "<" in text or "[" in text:
            yield from _control_tokens(example, name, text)
        if not text.isascii():
            yield from _not_nfc(example, name, text)
            if MOJIBAKE_HINT.search(text):
                yield from _mojibake(example, name, text)
        yield from _personal_data(example, name, text)
