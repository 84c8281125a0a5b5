"""What `/v1/` answers, in the shapes of OpenAI's API: whole, and in pieces."""

from __future__ import annotations

import time
from codecs import getincrementaldecoder
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from llmlora.core.layout import new_id

Token = dict[str, Any]


class Usage(BaseModel):
    """Numbers of tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class OpenaiAnswer(BaseModel):
    """A whole answer of `/v1/chat/completions` (choices with `message`) or `/v1/completions` (with `text`)."""

    id: str
    object: str
    created: int
    model: str
    choices: list[dict[str, Any]]
    usage: Usage


class OpenaiModel(BaseModel):
    """A model that can be asked."""

    id: str
    object: str = "model"
    created: int
    owned_by: str = "llmlora"


class OpenaiModelList(BaseModel):
    """Models that can be asked."""

    object: str = "list"
    data: list[OpenaiModel]


class Shape(Protocol):
    """The shape of the answers to one request."""

    def whole(self, reply: dict[str, Any], tokens: Sequence[Token]) -> dict[str, Any]:
        """Return the answer."""

    def first(self) -> list[dict[str, Any]]:
        """Return the chunks in front of the text."""

    def piece(self, text: str, tokens: Sequence[Token]) -> dict[str, Any]:
        """Return the chunk of a piece of text."""

    def last(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the chunks behind the text."""


class _Shape:
    """What both kinds of answers have in common."""

    prefix: ClassVar[str]
    whole_object: ClassVar[str]
    chunk_object: ClassVar[str]

    def __init__(self, model: str, *, wants_logprobs: bool, wants_usage: bool) -> None:
        self._wants_logprobs = wants_logprobs
        self._wants_usage = wants_usage
        self._head = {"id": f"{self.prefix}-{new_id()}", "created": int(time.time()), "model": model}

    def _document(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return {**self._head, "object": kind, "choices": choices, **more}

    def _whole(self, reply: dict[str, Any], **choice: Any) -> dict[str, Any]:
        chosen = {"index": 0, **choice, "finish_reason": reply["finish_reason"]}
        return self._document(self.whole_object, [chosen], usage=_usage(reply))

    def _chunk(self, finish_reason: str | None = None, **choice: Any) -> dict[str, Any]:
        chosen = {"index": 0, **choice, "finish_reason": finish_reason}
        return self._document(self.chunk_object, [chosen], **({"usage": None} if self._wants_usage else {}))

    def _numbers(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        return [self._document(self.chunk_object, [], usage=_usage(reply))] if self._wants_usage else []


class ChatShape(_Shape):
    """Answers to `/v1/chat/completions`."""

    prefix = "chatcmpl"
    whole_object = "chat.completion"
    chunk_object = "chat.completion.chunk"

    def whole(self, reply: dict[str, Any], tokens: Sequence[Token]) -> dict[str, Any]:
        """Return the answer."""
        message = {"role": "assistant", "content": reply["text"], "refusal": None}
        return self._whole(reply, message=message, logprobs=self._logprobs(tokens))

    def first(self) -> list[dict[str, Any]]:
        """Return the chunk that says who speaks."""
        return [self._chunk(delta={"role": "assistant", "content": "", "refusal": None}, logprobs=None)]

    def piece(self, text: str, tokens: Sequence[Token]) -> dict[str, Any]:
        """Return the chunk of a piece of text."""
        return self._chunk(delta={"content": text}, logprobs=self._logprobs(tokens))

    def last(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the chunk that says why the text ends, and the numbers of tokens where they are wanted."""
        return [self._chunk(reply["finish_reason"], delta={}, logprobs=None), *self._numbers(reply)]

    def _logprobs(self, tokens: Sequence[Token]) -> dict[str, Any] | None:
        return {"content": list(tokens), "refusal": None} if self._wants_logprobs else None


class CompletionShape(_Shape):
    """Answers to `/v1/completions`."""

    prefix = "cmpl"
    whole_object = chunk_object = "text_completion"

    def __init__(self, model: str, *, wants_logprobs: bool, wants_usage: bool) -> None:
        super().__init__(model, wants_logprobs=wants_logprobs, wants_usage=wants_usage)
        self._offset = 0
        self._decoder = getincrementaldecoder("utf-8")("replace")  # a character may be made of several tokens

    def whole(self, reply: dict[str, Any], tokens: Sequence[Token]) -> dict[str, Any]:
        """Return the answer."""
        return self._whole(reply, text=reply["text"], logprobs=self._logprobs(tokens))

    def first(self) -> list[dict[str, Any]]:
        """Return nothing: a text begins with its first piece."""
        return []

    def piece(self, text: str, tokens: Sequence[Token]) -> dict[str, Any]:
        """Return the chunk of a piece of text."""
        return self._chunk(text=text, logprobs=self._logprobs(tokens))

    def last(self, reply: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the chunk that says why the text ends, and the numbers of tokens where they are wanted."""
        return [self._chunk(reply["finish_reason"], text="", logprobs=None), *self._numbers(reply)]

    def _logprobs(self, tokens: Sequence[Token]) -> dict[str, Any] | None:
        if not self._wants_logprobs:
            return None
        offsets = []
        for token in tokens:
            offsets.append(self._offset)
            self._offset += len(self._decoder.decode(bytes(token["bytes"])))
        return {
            "tokens": [token["token"] for token in tokens],
            "token_logprobs": [token["logprob"] for token in tokens],
            "top_logprobs": [{one["token"]: one["logprob"] for one in token["top_logprobs"]} for token in tokens],
            "text_offset": offsets,
        }


def _usage(reply: dict[str, Any]) -> dict[str, int]:
    prompt, completion = int(reply["num_prompt_tokens"]), int(reply["num_tokens"])
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
