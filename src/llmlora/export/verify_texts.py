"""The texts and conversations every export is compared on."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

from llmlora.core.examples import Message

NUM_VARIED = 24


@cache
def _stored() -> dict[str, Any]:
    text = (resources.files("llmlora.export") / "verify_texts.json").read_text(encoding="utf-8")
    return dict(json.loads(text))


def comparison_texts(samples: Sequence[str], special_tokens: Sequence[str]) -> list[str]:
    """Return about 200 different texts: ours, the same with spaces and line breaks around, data samples, specials.

    `samples` come from the training data, `special_tokens` from the tokenizer. All are in composed form (NFC): Qwen's
    and NeoX's tokenizers compose letters and marks that are written apart, llama.cpp never does.
    """
    base = [str(text) for text in _stored()["texts"]]
    varied = [pattern.format(text) for text in base[:NUM_VARIED] for pattern in (" {}", "\n{}\n", "{}  ")]
    specials = [
        text for token in special_tokens[:8] for text in (token, f"{base[0]}{token}{base[1]}", f"{token}\n{base[0]}")
    ]
    texts = [*base, *varied, *samples, *specials]
    return list(dict.fromkeys(unicodedata.normalize("NFC", text) for text in texts))


def conversations(questions: Sequence[str], system: str | None) -> list[list[Message]]:
    """Return conversations of five shapes: user; system + user; several turns; two systems with several turns.

    `questions` from the training data come first, so that the model is compared on what it learned.
    """
    stored = _stored()
    asked = [*questions, *(str(text) for text in stored["questions"])]
    answers = [str(text) for text in stored["answers"]]
    systems = [*([system] if system else []), *(str(text) for text in stored["systems"])]
    turns = [
        Message("user", asked[0]),
        Message("assistant", answers[0]),
        Message("user", asked[1]),
    ]
    longer = [*turns, Message("assistant", answers[1]), Message("user", asked[2])]
    return [
        [Message("user", asked[0])],
        [Message("system", systems[0]), Message("user", asked[1])],
        turns,
        [Message("system", systems[0]), *turns],
        [Message("system", systems[1]), *longer],
    ]
