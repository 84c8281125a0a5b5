"""What Ollama's protocol takes, as far as it means something here; what would change the answer and cannot is refused.

Options that say how a model is run (context, threads, GPU layers) are ignored: that is the server's matter.
"""

from __future__ import annotations

import random
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmlora.api.openai_requests import DEFAULT_CHAT_TOKENS
from llmlora.api.problems import invalid_request
from llmlora.api.strict_route import parse_body
from llmlora.core.errors import InputError
from llmlora.core.generate_options import LARGEST_SEED

UNTIL_FULL: Final = 1_000_000  # tokens, which no context has
Text = Annotated[str, Field(max_length=1_000_000)]
ModelName = Annotated[str, Field(min_length=1, max_length=1000)]
Stop = Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=16)]


class Body(BaseModel):
    """A body that is read whatever its content type says, as Ollama reads it; unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    @classmethod
    async def read(cls, request: Request) -> Self:
        """Return what a request holds.

        Raises:
            InputError: it is not strict JSON, or a value is missing or wrong.
        """
        try:
            return cls.model_validate(parse_body(await request.body()))
        except ValidationError as error:
            raise invalid_request(error.errors(include_url=False)) from error


class NamedModel(Body):
    """Which model is meant; older programs call it `name`."""

    model: ModelName | None = None
    name: ModelName | None = None

    @property
    def wanted(self) -> str:
        """The name; raises InputError without one."""
        found = self.model or self.name
        if found is None:
            raise InputError("ollama_field", param="model")
        return found


class Options(BaseModel):
    """How the answer is chosen; what is not given is as the trained model was evaluated: the likeliest token."""

    model_config = ConfigDict(extra="allow")

    neutral: ClassVar[dict[str, tuple[Any, ...]]] = {
        "typical_p": (0, 1),
        "tfs_z": (0, 1),
        "mirostat": (0,),
        "presence_penalty": (0,),
        "frequency_penalty": (0,),
    }

    num_predict: Annotated[int, Field(ge=-2, le=UNTIL_FULL)] | None = None
    temperature: Annotated[float, Field(ge=0, le=100)] | None = None
    top_k: Annotated[int, Field(ge=0, le=UNTIL_FULL)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    repeat_penalty: Annotated[float, Field(gt=0, le=100)] | None = None
    seed: int | None = None
    stop: Annotated[str, Field(max_length=1000)] | Stop | None = None

    def check(self) -> None:
        """Refuse what cannot be done.

        Raises:
            InputError: `ollama_field`.
        """
        for name, values in self.neutral.items():
            value = (self.model_extra or {}).get(name)
            if value is not None and value not in values:
                raise InputError("ollama_field", param=f"options.{name}")

    def asked(self) -> dict[str, Any]:
        """Return the options of the worker's protocol."""
        stop = [self.stop] if isinstance(self.stop, str) else self.stop or []
        number = DEFAULT_CHAT_TOKENS if self.num_predict is None else self.num_predict
        return {
            "max_new_tokens": number if number > 0 else UNTIL_FULL,
            "temperature": self.temperature or 0.0,
            "top_k": self.top_k or 0,
            "top_p": self.top_p or 1.0,
            "min_p": self.min_p or 0.0,
            "repetition_penalty": self.repeat_penalty or 1.0,
            "seed": random.randint(0, LARGEST_SEED) if self.seed is None else self.seed % (LARGEST_SEED + 1),
            "stop": [text for text in stop if text],
        }


class AnswerRequest(NamedModel):
    """What both kinds of questions have in common."""

    unknown: ClassVar[tuple[str, ...]] = ("format", "think")  # would change the answer
    model_config = ConfigDict(extra="allow")

    options: Options | None = None
    stream: bool | None = True
    keep_alive: float | str | None = None
    logprobs: bool | None = False
    top_logprobs: Annotated[int, Field(ge=0, le=20)] | None = None

    def asked(self) -> dict[str, Any]:
        """Return the options of the worker's protocol.

        Raises:
            InputError: `ollama_field`, for what cannot be done.
        """
        for name in self.unknown:
            if (self.model_extra or {}).get(name):
                raise InputError("ollama_field", param=name)
        options = self.options or Options()
        options.check()
        told = {"top_logprobs": self.top_logprobs or 0} if self.logprobs else {}
        return {**options.asked(), **told}

    @property
    def leaves(self) -> bool:
        """Whether the model is to go at once."""
        return self.keep_alive in (0, "0", "0s", "0m")


class ChatTurn(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "user", "assistant"]
    content: Text = ""
    images: list[Any] | None = None


class OllamaChat(AnswerRequest):
    """A conversation to go on with; without one the model is loaded, or goes."""

    unknown: ClassVar[tuple[str, ...]] = (*AnswerRequest.unknown, "tools")

    messages: Annotated[list[ChatTurn], Field(max_length=1000)] = Field(default_factory=list)

    def turns(self) -> list[dict[str, str]]:
        """Return role and text of the turns; raises InputError for images."""
        if any(turn.images for turn in self.messages):
            raise InputError("ollama_field", param="images")
        return [{"role": turn.role, "content": turn.content} for turn in self.messages]


class OllamaGenerate(AnswerRequest):
    """A question, or with `raw` a text to go on with; without one the model is loaded, or goes."""

    unknown: ClassVar[tuple[str, ...]] = (*AnswerRequest.unknown, "suffix", "template", "context", "images")

    prompt: Text = ""
    system: Text | None = None
    raw: bool | None = False
