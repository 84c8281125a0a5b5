"""One chat interface over every way a model can be run: what is asked, how it is generated, what comes back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

from llmlora.core.errors import ConfigError
from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions

FinishReason = Literal["stop", "length"]
OnText = Callable[[str], None]
Logprob = dict[str, Any]
OnToken = Callable[[Logprob | None], None]

MOST_CHARACTERS = 1_000_000  # of a whole conversation
LEAST_LOGPROB = -9999.0  # instead of minus infinity, which JSON has not


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation to answer (`messages`, through the chat template) or a raw text to continue (`prompt`).

    `top_logprobs` is how many of the likeliest tokens are told with each generated one; None tells of none. `job_dir`
    is whose model answers where several stand on one base, with its adapter or, without `has_adapter`, as it began.
    """

    messages: tuple[Message, ...] | None = None
    prompt: str | None = None
    options: GenerateOptions = field(default_factory=GenerateOptions)
    top_logprobs: int | None = None
    job_dir: Path | None = None
    has_adapter: bool = True

    def __post_init__(self) -> None:
        if (self.messages is None) == (self.prompt is None):
            raise ConfigError("bad_chat_request")


@dataclass(frozen=True, slots=True)
class ChatReply:
    """The generated text; `token_ids` are the generated tokens without the end token, `num_tokens` their number.

    `num_prompt_tokens` is how many it was generated from. A streamed reply of llama.cpp has no `token_ids`: its stream
    leaves out tokens that are half a character.
    """

    text: str
    finish_reason: FinishReason
    num_tokens: int
    token_ids: tuple[int, ...]
    num_prompt_tokens: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of a reply."""
        names = ("text", "finish_reason", "num_tokens", "num_prompt_tokens")
        return {name: getattr(self, name) for name in names}


class ChatModel(Protocol):
    """A loaded model that answers requests one after the other."""

    def chat(self, request: ChatRequest, on_text: OnText | None = None, on_token: OnToken | None = None) -> ChatReply:
        """Answer one request; `on_text` gets the reply piece by piece while it is generated.

        `on_token` is called for each token before its text is passed on, with its `logprob_of` where the request asks
        for it; what either of them raises ends the reply.
        """
        ...

    def use_threads(self, number: int) -> None:
        """Compute with that many threads from the next request on; a small model goes on with one."""
        ...

    @property
    def is_raw(self) -> bool:
        """Whether it is asked with the last user's text alone: no template, no system message, no earlier turns."""
        ...

    def close(self) -> None:
        """Free the model."""
        ...


def room_after(prompt_ids: Sequence[int], context_length: int) -> int:
    """Return how many tokens can follow a prompt.

    Raises:
        ConfigError: `prompt_empty`, there is nothing to go on after; `prompt_too_long`, it fills the whole context.
    """
    if not prompt_ids:
        raise ConfigError("prompt_empty")
    room = context_length - len(prompt_ids)
    if room < 1:
        raise ConfigError("prompt_too_long", num_tokens=len(prompt_ids), context_length=context_length)
    return room


def request_from_dict(data: dict[str, Any]) -> ChatRequest:
    """Build a request from JSON: `messages` or `prompt`, and any field of `GenerateOptions`.

    Raises:
        ConfigError: `prompt_too_large`, so much that counting its tokens alone would keep the model for minutes.
    """
    messages = data.get("messages")
    texts = [data.get("prompt")] if messages is None else [message.get("content") for message in messages]
    num_characters = sum(len(text or "") for text in texts)
    if num_characters > MOST_CHARACTERS:
        raise ConfigError("prompt_too_large", num_characters=num_characters, most_characters=MOST_CHARACTERS)
    options = {name: data[name] for name in GenerateOptions.__dataclass_fields__ if data.get(name) is not None}
    if "stop" in options:
        options["stop"] = tuple(options["stop"])
    return ChatRequest(
        messages=None if messages is None else messages_from_dicts(messages),
        prompt=data.get("prompt"),
        options=GenerateOptions(**options),
        top_logprobs=data.get("top_logprobs"),
        job_dir=Path(data["job_dir"]) if data.get("job_dir") else None,
        has_adapter=bool(data.get("has_adapter", True)),
    )


def logprob_of(token: bytes, logprob: float | None, top: Sequence[Logprob] | None = None) -> Logprob:
    """Return what is told of a token: its text, natural log-probability and bytes.

    Put together, the bytes are the reply, also where a character is made of several tokens. `top` are the likeliest
    tokens in its place, each told in the same way.
    """
    told: Logprob = {
        "token": token.decode("utf-8", "replace"),
        "logprob": LEAST_LOGPROB if logprob is None else max(logprob, LEAST_LOGPROB),
        "bytes": list(token),
    }
    return told if top is None else {**told, "top_logprobs": list(top)}


def messages_from_dicts(messages: Sequence[dict[str, Any]]) -> tuple[Message, ...]:
    """Build messages from their JSON objects."""
    return tuple(Message(role=str(turn["role"]), content=str(turn["content"])) for turn in messages)


def messages_to_dicts(messages: Sequence[Message]) -> list[dict[str, str]]:
    """Return the JSON objects of messages."""
    return [{"role": turn.role, "content": turn.content} for turn in messages]
