"""Which of llama.cpp's built-in splitting rules a byte-level tokenizer follows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from llmlora.core.errors import ExportError

Json = Mapping[str, Any]

# SHA-256 of a tokenizer's Split patterns in a row -> llama.cpp's name for the same rules. Ids of tokens would not do:
# a vocabulary of one's own may follow the same rules.
PATTERNS = {
    "1ff7f41064896984db5d1bb6ff64fa4bc29007d08c1b439e505b7392777a319e": "qwen2",
    "d98f9631be1e9607a9848c26c1f9eac1aa9fc21ac6ba82a2fc0741af9780a48f": "llama-bpe",
    "03df5c5863ad70781dcfdef491ead25140f895fe8010964be0daefe27be32b02": "deepseek-llm",
    "21cde974d587f0d54dc8d56b183cc1e6239600172035c68fbd6d4b9f8da0576e": "deepseek-coder",
    "00431aed57e696b747435f734d1e3b9b1bfd931a121fb5cac7129e97c181e9ba": "qwen35",
}


def has_byte_level(steps: Sequence[Json]) -> bool:
    """Tell whether a pre-tokenizer's steps turn text into byte characters."""
    return any(step.get("type") == "ByteLevel" for step in steps)


def pre_tokenizer_name(steps: Sequence[Json]) -> str:
    """Return llama.cpp's name; raises ExportError(unknown_pre_tokenizer) rather than guess, for a guess is silent."""
    splits = [step for step in steps if step.get("type") == "Split"]
    byte_level = next(step for step in steps if step.get("type") == "ByteLevel")
    has_own_rule = bool(byte_level.get("use_regex", True))
    patterns = [_pattern(step) for step in splits]
    digest = hashlib.sha256("".join(patterns).encode()).hexdigest()
    name = PATTERNS.get(digest, "")
    if len(steps) == 1 and has_own_rule:
        return "gpt-2"
    has_digits = any(step.get("type") == "Digits" for step in steps)
    is_plain = all(step.get("behavior") == "Isolated" and not step.get("invert") for step in splits)
    if name and is_plain and not has_own_rule and has_digits == name.startswith("deepseek"):
        return name
    raise ExportError("unknown_pre_tokenizer", digest=digest[:16], pattern=" ".join(patterns)[:200])


def _pattern(step: Json) -> str:
    pattern = step.get("pattern") or {}
    return str(pattern.get("Regex") or pattern.get("String") or "")
