"""One chat interface over every way a model can be run: what is asked, how it is generated, what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from llmlora.core.errors import ConfigError
from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions

FinishReason = Literal["stop", "length"]
OnText = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation to answer (`messages`, through the chat template) or a raw text to continue (`prompt`)."""

    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    options: GenerateOptions = field(default_factory=GenerateOptions)

    def __post_init__(self) -> None:
        if (self.messages is None) == (self.prompt is None):
            raise ConfigError("bad_chat_request")


@dataclass(frozen=True, slots=True)
class ChatReply:
    """The generated text; `token_ids` are the generated tokens without the end token, `num_tokens` their number.

    A streamed reply of llama.cpp has no `token_ids`: its stream leaves out tokens that are half a character.
    """

    text: str
    finish_reason: FinishReason
    num_tokens: int
    token_ids: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of a reply."""
        return {"text": self.text, "finish_reason": self.finish_reason, "num_tokens": self.num_tokens}


class ChatModel(Protocol):
    """A loaded model that answers requests one after the other."""

    def chat(self, request: ChatRequest, on_text: OnText | None = None) -> ChatReply:
        """Answer one request; `on_text` gets the reply piece by piece while it is generated."""
        ...

    @property
    def is_raw(self) -> bool:
        """Whether it is asked with the last user's text alone: no template, no system message, no earlier turns."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


def request_from_dict(data: dict[str, Any]) -> ChatRequest:
    """Build a request from JSON: `messages` or `prompt`, and any field of `GenerateOptions`."""
    options = {name: data[name] for name in GenerateOptions.__dataclass_fields__ if data.get(name) is not None}
    if "stop" in options:
        options["stop"] = tuple(options["stop"])
    messages = data.get("messages")
    return ChatRequest(
        messages=None if messages is None else messages_from_dicts(messages),
        prompt=data.get("prompt"),
        options=GenerateOptions(**options),
    )


def messages_from_dicts(messages: Sequence[dict[str, Any]]) -> tuple[Message, ...]:
    """Build messages from their JSON objects."""
    return tuple(Message(role=str(turn["role"]), content=str(turn["content"])) for turn in messages)


def messages_to_dicts(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return the JSON objects of messages."""
    return [{"role": turn.role, "content": turn.content} for turn in messages]
