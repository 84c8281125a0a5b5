"""What a version of Ollama can do; users have all of them, so it is asked first and the branch taken is told."""

from __future__ import annotations

import re
from dataclasses import dataclass

ADAPTERS_UNTIL = (0, 34, 1)  # from here on adapters are refused, and nothing is quantised from GGUF
JINJA_FROM = (0, 30, 0)  # models run in llama-server, which renders a file's own template
RENDERS_FROM = (0, 11, 5)
LOGPROBS_FROM = (0, 12, 11)


@dataclass(frozen=True)
class Abilities:
    """A server's version, and what follows from it."""

    version: str
    takes_adapters: bool
    has_jinja: bool
    can_render: bool
    has_logprobs: bool


def abilities_of(version: str) -> Abilities:
    """Return what a version can do; one without numbers, or 0.0.0 as builds from source say, counts as the newest."""
    found = re.match(r"v?(\d+)\.(\d+)(?:\.(\d+))?", version)
    number = tuple(int(part or 0) for part in found.groups()) if found else (0, 0, 0)
    if not any(number):
        number = (1 << 30, 0, 0)
    return Abilities(
        version=version,
        takes_adapters=number < ADAPTERS_UNTIL,
        has_jinja=number >= JINJA_FROM,
        can_render=number >= RENDERS_FROM,
        has_logprobs=number >= LOGPROBS_FROM,
    )
