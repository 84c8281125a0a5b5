"""How an answer is chosen, as every request of our own may say it; the defaults are the page's."""

from __future__ import annotations

import random
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from llmlora.core.generate_options import LARGEST_SEED

MAX_PROMPT = 1_000_000
ModelName = Annotated[str, Field(min_length=1, max_length=1000)]
Prompt = Annotated[str, Field(max_length=MAX_PROMPT)]


class Sampling(BaseModel):
    """`max_length` counts new tokens; without a `seed` every answer is another one."""

    model_config = ConfigDict(extra="forbid")

    max_length: Annotated[int, Field(ge=1, le=1_000_000)] = 100
    temperature: Annotated[float, Field(ge=0, le=100)] = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9
    repetition_penalty: Annotated[float, Field(gt=0, le=100)] = 1.1
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] | None = None

    def options(self) -> dict[str, Any]:
        """Return the options of the worker's protocol, with a seed."""
        seed = random.randint(0, LARGEST_SEED) if self.seed is None else self.seed
        names = ("temperature", "top_p", "repetition_penalty")
        return {**{name: getattr(self, name) for name in names}, "max_new_tokens": self.max_length, "seed": seed}
