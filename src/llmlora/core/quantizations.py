"""The types of GGUF files that can be made here, by llama.cpp's names, the largest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llmlora.core.errors import ConfigError
from llmlora.core.near_names import near_names

QUANTIZATIONS: Final = (
    *("F32", "F16", "BF16"),
    *("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q4_K_S", "Q4_0", "Q3_K_M", "Q2_K"),
)


def require_quantizations(names: Sequence[str], known: Sequence[str] = QUANTIZATIONS) -> None:
    """Raise ConfigError(unknown_quantization) for names that are not known, with those like them."""
    unknown = [name for name in names if name not in known]
    if unknown:
        near = ", ".join(filter(None, (near_names(name, known, 1) for name in unknown)))
        raise ConfigError("unknown_quantization", names=", ".join(unknown), known=", ".join(known), near=near)
