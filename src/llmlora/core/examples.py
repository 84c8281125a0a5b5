"""One training example in its canonical form, whatever file format it came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

DatasetFormat = Literal["instruction", "chat", "completion", "text"]
FORMATS: tuple[DatasetFormat, ...] = ("instruction", "chat", "completion", "text")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: `role` is system, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """One row: either `messages`, or `prompt` and `completion`, or `text`.

    `row` is the 1-based example number, `line` the 1-based physical line it starts on. Instruction rows become
    messages; completion and text rows are used raw, without a chat template.
    """

    row: int
    line: int
    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    completion: str | None = None
    text: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the canonical JSON object of this row."""
        if self.messages:
            return {"messages": [{"role": turn.role, "content": turn.content} for turn in self.messages]}
        if self.text is not None:
            return {"text": self.text}
        return {"prompt": self.prompt, "completion": self.completion}
