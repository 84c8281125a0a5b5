"""Rows from raw text by three rules: 質問/回答, Q/A, and a heading with the paragraphs below it. Nothing is made up.

A question goes up to its answer, an answer or a heading's text up to the next question, heading or line of dashes. What
no rule takes is a finding with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, TextIO

from llmlora.data.json_stream import ROW_CHARACTERS
from llmlora.data.lines import numbered_lines
from llmlora.data.problems import Problem, error, warning
from llmlora.data.raw import RawRow

QUESTION = re.compile(r"\s*(?:質問|問|Question|Q)\s*[0-9０-９]*\s*[:：.．](?P<text>.*)", re.IGNORECASE)
ANSWER = re.compile(r"\s*(?:回答|答え|答|Answer|A)\s*[0-9０-９]*\s*[:：.．](?P<text>.*)", re.IGNORECASE)
HEADING = re.compile(r"#{1,6}\s+(?P<marked>.+?)\s*#*|[■□◆◇●○▼▶]\s*(?P<signed>.+)|【(?P<framed>[^】]+)】")
DASHES = re.compile(r"[-=*_ー―─━＝]{3,}")
FENCE = ("```", "~~~")
HEADING_WITHOUT_TEXT = "heading_without_text"

Kind = Literal["question", "answer", "heading", "loose"]


class _Block:
    """What is being read: the line where it begins, its question or heading, and the lines that followed."""

    def __init__(self, kind: Kind, line: int, asked: str = "", first: str = "") -> None:
        self.kind: Kind = kind
        self.line = line
        self.asked = asked
        self.lines = [first] if first else []
        self.size = len(asked) + len(first)
        self.is_fenced = False

    def add(self, text: str) -> None:
        """Take one more line."""
        self.lines.append(text.rstrip())
        self.size += len(text.strip())
        if text.lstrip().startswith(FENCE):
            self.is_fenced = not self.is_fenced

    @property
    def text(self) -> str:
        """Return the lines without empty ones around them."""
        return "\n".join(self.lines).strip()

    def item(self, row: int) -> RawRow | Problem | None:
        """Return the row of a block, or what it lacks; None where there is nothing at all."""
        if self.size > ROW_CHARACTERS:
            return error("row_too_long", self.line, row, limit=ROW_CHARACTERS)
        if self.kind == "question":
            return error("question_without_answer", self.line, row, question=self.asked or self.text)
        if self.kind == "loose":
            return error("text_without_question", self.line, row) if self.text else None
        if self.kind == "heading" and not self.text:
            return warning(HEADING_WITHOUT_TEXT, self.line, row, heading=self.asked)
        return RawRow(row, self.line, {"instruction": self.asked, "output": self.text})


def question_rows(stream: TextIO) -> Iterator[RawRow | Problem]:
    """Yield every question with its answer, and every heading with its text, as rows of `instruction` and `output`."""
    block = _Block("loose", 1)
    row = 0
    for number, text in numbered_lines(stream):
        if text is None or "\0" in text:
            row += 1
            column = None if text is None else text.index("\0") + 1
            yield error("row_too_long" if text is None else "nul_byte", number, row, column, limit=ROW_CHARACTERS)
            continue
        following = _next_block(block, number, text)
        if following is None:
            continue
        item = block.item(row + 1)
        row += item is not None
        if item is not None:
            yield item
        block = following
    item = block.item(row + 1)
    if item is not None:
        yield item


def _next_block(block: _Block, number: int, text: str) -> _Block | None:
    """Return the block that begins with a line; None when the line belongs to the one that is being read."""
    answer = ANSWER.fullmatch(text) if block.kind == "question" else None
    question, heading = QUESTION.fullmatch(text), HEADING.fullmatch(text.strip())
    if not block.is_fenced and answer is not None:
        _turn_into_answer(block, answer["text"].strip())
    elif not block.is_fenced and question is not None:
        return _Block("question", number, first=question["text"].strip())
    elif not block.is_fenced and heading is not None:
        return _Block("heading", number, heading["marked"] or heading["signed"] or heading["framed"])
    elif not block.is_fenced and DASHES.fullmatch(text.strip()):
        return _Block("loose", number + 1)
    elif block.size <= ROW_CHARACTERS:
        if block.kind == "loose" and not block.size:
            block.line, block.lines = number, []
        block.add(text)
    return None


def _turn_into_answer(block: _Block, first: str) -> None:
    """End the question of a block; what follows is its answer."""
    block.kind, block.asked, block.lines = "answer", block.text, [first]
