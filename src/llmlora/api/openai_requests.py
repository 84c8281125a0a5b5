"""What `/v1/` takes: the fields of OpenAI's API that mean something here; others are ignored as OpenAI ignores them.

A field that would change the answer, and cannot here, is refused unless it has the value that changes nothing.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from llmlora.core.errors import InputError
from llmlora.core.generate_options import LARGEST_SEED

DEFAULT_CHAT_TOKENS: Final = 1024  # a small model does not always find an end
DEFAULT_COMPLETION_TOKENS: Final = 16
Text = Annotated[str, Field(max_length=1_000_000)]
Stop = Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=16)]
NumTokens = Annotated[int, Field(ge=1, le=1_000_000)]


class StreamOptions(BaseModel):
    """Whether the stream ends with the numbers of tokens."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool | None = False


class TextPart(BaseModel):
    """A part of a message; only text is understood."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["text"]
    text: Text


class ChatMessage(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[TextPart] | None = None

    def to_dict(self) -> dict[str, str]:
        """Return role and text, as models are asked."""
        parts = self.content if isinstance(self.content, list) else []
        text = self.content if isinstance(self.content, str) else "\n".join(part.text for part in parts)
        return {"role": "system" if self.role == "developer" else self.role, "content": text}


class SamplingRequest(BaseModel):
    """What both kinds of completions have in common."""

    model_config = ConfigDict(extra="allow")

    neutral: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        "n": (1,),
        "logit_bias": ({},),
        "presence_penalty": (0,),
        "frequency_penalty": (0,),
    }

    model: Annotated[str, Field(min_length=1, max_length=1000)]
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: NumTokens | None = None
    stop: Annotated[str, Field(max_length=1000)] | Stop | None = None
    seed: int | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None

    def check(self) -> None:
        """Refuse what cannot be done.

        Raises:
            InputError: `openai_field`.
        """
        for name, values in self.neutral.items():
            value = (self.model_extra or {}).get(name)
            if value is not None and value not in values:
                raise InputError("openai_field", param=name)

    def options(self, max_new_tokens: int) -> dict[str, Any]:
        """Return the options of the worker's protocol."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return {
            "max_new_tokens": max_new_tokens,
            "temperature": 1.0 if self.temperature is None else self.temperature,
            "top_p": 1.0 if self.top_p is None else self.top_p,
            "seed": random.randint(0, LARGEST_SEED) if self.seed is None else self.seed % (LARGEST_SEED + 1),
            "stop": [text for text in stop if text],
        }

    @property
    def wants_usage(self) -> bool:
        """Whether a stream ends with the numbers of tokens."""
        return self.stream_options is not None and bool(self.stream_options.include_usage)


class ChatCompletionRequest(SamplingRequest):
    """A conversation to go on with."""

    neutral: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **SamplingRequest.neutral,
        "tools": ([],),
        "functions": ([],),
        "response_format": ({"type": "text"},),
        "modalities": (["text"],),
        "audio": (),
    }

    messages: Annotated[list[ChatMessage], Field(min_length=1, max_length=1000)]
    max_completion_tokens: NumTokens | None = None
    logprobs: bool | None = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    def check(self) -> None:
        """Refuse what cannot be done.

        Raises:
            InputError: `openai_field`, `openai_top_logprobs`.
        """
        super().check()
        if self.top_logprobs is not None and not self.logprobs:
            raise InputError("openai_top_logprobs", param="top_logprobs")

    def asked(self, messages: list[dict[str, str]]) -> dict[str, Any]:
        """Return the request of the worker's protocol for these messages."""
        number = self.max_completion_tokens or self.max_tokens or DEFAULT_CHAT_TOKENS
        told = {"top_logprobs": self.top_logprobs or 0} if self.logprobs else {}
        return {"messages": messages, **self.options(number), **told}


class CompletionRequest(SamplingRequest):
    """A text to go on with."""

    neutral: ClassVar[Mapping[str, tuple[Any, ...]]] = {
        **SamplingRequest.neutral,
        "best_of": (1,),
        "echo": (False,),
        "suffix": ("",),
    }

    prompt: Text | Annotated[list[Text], Field(min_length=1, max_length=1)]
    logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    def asked(self) -> dict[str, Any]:
        """Return the request of the worker's protocol."""
        prompt = self.prompt if isinstance(self.prompt, str) else self.prompt[0]
        told = {} if self.logprobs is None else {"top_logprobs": self.logprobs}
        return {"prompt": prompt, **self.options(self.max_tokens or DEFAULT_COMPLETION_TOKENS), **told}
