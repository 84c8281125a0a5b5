"""What Ollama's protocol answers: lines of JSON, or one object; times in nanoseconds."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]


class OllamaShape:
    """The shape of the answers to one request, of a conversation or of a text; it counts the time from its making."""

    def __init__(self, model: str, *, is_chat: bool, wants_logprobs: bool) -> None:
        self._model = model
        self._is_chat = is_chat
        self._wants_logprobs = wants_logprobs
        self._started = time.monotonic_ns()
        self._loaded: int | None = None  # since the start, where the model had to be loaded
        self._first: int | None = None

    def note_load(self) -> None:
        """Note that the model is loaded first."""
        self._loaded = 0

    def note_first(self) -> None:
        """Note that the answer begins."""
        self._first = self._first or time.monotonic_ns() - self._started
        self._loaded = self._loaded if self._loaded is None else self._first

    def piece(self, text: str, tokens: Sequence[Json]) -> Json:
        """Return the line of a piece of text."""
        return {**self._spoken(text), "done": False, **self._logprobs(tokens)}

    def last(self, reply: Json, text: str = "", tokens: Sequence[Json] = ()) -> Json:
        """Return the last line: why it ends, numbers of tokens, times; `text` is the whole answer without a stream."""
        total = time.monotonic_ns() - self._started
        first = self._first or total
        return {
            **self._spoken(text),
            "done": True,
            "done_reason": reply["finish_reason"],
            "total_duration": total,
            "load_duration": self._loaded or 0,
            "prompt_eval_count": reply["num_prompt_tokens"],
            "prompt_eval_duration": first - (self._loaded or 0),
            "eval_count": reply["num_tokens"],
            "eval_duration": total - first,
            **self._logprobs(tokens),
        }

    def without_text(self, reason: str) -> Json:
        """Return the answer to a request that loads a model or lets it go."""
        return {**self._spoken(""), "done": True, "done_reason": reason}

    def _spoken(self, text: str) -> Json:
        head = {"model": self._model, "created_at": datetime.now(UTC).isoformat().replace("+00:00", "Z")}
        spoken = {"message": {"role": "assistant", "content": text}} if self._is_chat else {"response": text}
        return {**head, **spoken}

    def _logprobs(self, tokens: Sequence[Json]) -> Json:
        return {"logprobs": list(tokens)} if self._wants_logprobs and tokens else {}
