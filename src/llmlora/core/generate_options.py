"""How a reply is generated: the options of every chat, checked before a model is loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from llmlora.core.errors import ConfigError

LARGEST_SEED: Final = 2**32 - 2  # llama.cpp takes 32 bits, and the largest number as "another one every time"


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How the next tokens are chosen.

    `temperature` 0 takes the likeliest token every time; else tokens are drawn from the `top_p` nucleus of the
    distribution at that temperature, of its `top_k` likeliest (0: of all) and of those at least `min_p` times as likely
    as the likeliest. `repetition_penalty` divides the positive and multiplies the negative logits of
    every token already in the context (Keskar et al. 2019, as transformers and llama.cpp do). `stop` are texts that
    end the reply and are not part of it.

    Raises:
        ConfigError: `bad_generate_option` for a value outside its range.
    """

    max_new_tokens: int = 128
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int = 0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        checks = [
            ("max_new_tokens", self.max_new_tokens >= 1, ">= 1"),
            ("temperature", 0 <= self.temperature <= 100, "0 .. 100"),
            ("top_p", 0 < self.top_p <= 1, "> 0 .. 1"),
            ("top_k", self.top_k >= 0, ">= 0"),
            ("min_p", 0 <= self.min_p <= 1, "0 .. 1"),
            ("repetition_penalty", 0 < self.repetition_penalty <= 100, "> 0 .. 100"),
            ("seed", 0 <= self.seed <= LARGEST_SEED, f"0 .. {LARGEST_SEED}"),
        ]
        for name, is_valid, limit in checks:
            value = getattr(self, name)
            if not is_valid:
                shown = str(value) if isinstance(value, float) and not math.isfinite(value) else value
                raise ConfigError("bad_generate_option", name=name, value=shown, limit=limit)
