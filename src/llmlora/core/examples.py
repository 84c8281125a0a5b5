"""One training example in its canonical form, whatever file format it came from."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

DatasetFormat = Literal["instruction", "chat", "completion", "text"]
FORMATS: tuple[DatasetFormat, ...] = ("instruction", "chat", "completion", "text")


@dataclass(frozen=True, slots=True)
class Message:
    """One turn: `role` is system, user, assistant or tool.

    `tool_calls` is the JSON list of the calls in an assistant's turn, and `reasoning` what it thought before; both are
    learned as the chat template shows them. `tool_call_id` and `name` say which call a tool's turn answers. `learned`
    is false where the author of the data kept a turn out of training: it is shown as context, but no token of it has a
    label.
    """

    role: str
    content: str
    tool_calls: str = ""
    learned: bool = True
    reasoning: str = ""
    tool_call_id: str = ""
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the canonical JSON object of this turn."""
        calls = {"tool_calls": json.loads(self.tool_calls)} if self.tool_calls else {}
        weight = {} if self.learned else {"weight": 0}
        others = {"reasoning_content": self.reasoning, "tool_call_id": self.tool_call_id, "name": self.name}
        given = {key: text for key, text in others.items() if text}
        return {"role": self.role, "content": self.content, **calls, **given, **weight}


@dataclass(frozen=True, slots=True)
class Example:
    """One row: either `messages`, or `prompt` and `completion`, or `text`.

    `row` is the 1-based example number, `line` the 1-based physical line it starts on. Instruction rows become
    messages; completion and text rows are used raw, without a chat template. `tools` is the JSON list of the tools that
    a conversation may call.
    """

    row: int
    line: int
    messages: tuple[Message, ...] = ()
    prompt: str | None = None
    completion: str | None = None
    text: str | None = None
    tools: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the canonical JSON object of this row."""
        if self.messages:
            tools = {"tools": json.loads(self.tools)} if self.tools else {}
            return {"messages": [turn.to_dict() for turn in self.messages], **tools}
        if self.text is not None:
            return {"text": self.text}
        return {"prompt": self.prompt, "completion": self.completion}
