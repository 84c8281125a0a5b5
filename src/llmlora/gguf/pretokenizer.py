"""Which of llama.cpp's built-in splitting rules a byte-level tokenizer follows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from llmlora.core.errors import ExportError
from llmlora.gguf.splitting_rules import DIGITS_APART, SPLITS
from llmlora.gguf.tokenizer_limits import unsupported

Json = Mapping[str, Any]

# SHA-256 of a tokenizer's Split patterns in a row -> llama.cpp's name for the same rules. Ids of tokens would not do:
# a vocabulary of one's own may follow the same rules.
PATTERNS = {
    "1d64a9a8eaf9f1bd80331984d81fdd514e7feafe8df83a525dd31472f275699a": "tekken",
    "2d1b8dc11e89af71459b36004f698ab3693f59fd84f63e8ec2b49564ab857420": "gpt-4o",
    "1ff7f41064896984db5d1bb6ff64fa4bc29007d08c1b439e505b7392777a319e": "qwen2",
    "d98f9631be1e9607a9848c26c1f9eac1aa9fc21ac6ba82a2fc0741af9780a48f": "llama-bpe",
    "03df5c5863ad70781dcfdef491ead25140f895fe8010964be0daefe27be32b02": "deepseek-llm",
    "21cde974d587f0d54dc8d56b183cc1e6239600172035c68fbd6d4b9f8da0576e": "deepseek-coder",
    "00431aed57e696b747435f734d1e3b9b1bfd931a121fb5cac7129e97c181e9ba": "qwen35",
}

# Rules under which llama.cpp takes a whole piece that is a token without merging it, and what has the same pattern but
# merges; a name in neither merges.
_IGNORES_MERGES = ("llama-bpe", "tekken")
_KEEPS_MERGES = {"llama-bpe": "dbrx"}
_SPLITS_DIGITS = ("deepseek-llm", "deepseek-coder")


def has_byte_level(steps: Sequence[Json]) -> bool:
    """Tell whether a pre-tokenizer's steps turn text into byte characters."""
    return any(step.get("type") == "ByteLevel" for step in steps)


def pre_tokenizer_name(steps: Sequence[Json], ignores_merges: bool = False) -> str:
    """Return llama.cpp's name for the rules, merges ignored or not for pieces that are tokens as they stand.

    Raises ExportError (`unknown_pre_tokenizer`, `unsupported_tokenizer`) rather than guess, for a guess is silent.
    """
    patterns = [_pattern(step) for step in steps if step.get("type") == "Split"]
    digest = _digest(patterns)
    has_digits = any(step.get("type") == "Digits" for step in steps)
    name = _own_rule(steps) or (RULES.get((digest, has_digits), "") if _is_plain(steps) else "")
    if not name:
        raise ExportError("unknown_pre_tokenizer", digest=digest[:16], pattern=" ".join(patterns)[:200])
    if (name in _IGNORES_MERGES) == ignores_merges:
        return name
    if name in _KEEPS_MERGES:
        return _KEEPS_MERGES[name]
    raise unsupported(f"{name}, ignore_merges {str(ignores_merges).lower()}")


def _digest(patterns: Iterable[str]) -> str:
    return hashlib.sha256("".join(patterns).encode()).hexdigest()


# Patterns, and whether digits are split off as well -> the rule: the patterns that are written here for it, which need
# not be the published ones, and those.
RULES = {
    **{
        (_digest(patterns), rule in DIGITS_APART): rule
        for rule, (patterns, _) in SPLITS.items()
        if rule not in _KEEPS_MERGES.values()
    },
    **{(digest, rule in _SPLITS_DIGITS): rule for digest, rule in PATTERNS.items()},
}


def _own_rule(steps: Sequence[Json]) -> str:
    """Return the name for tokenizers that split by ByteLevel's own rule, GPT-2's, with digits apart or not."""
    byte_level = next(step for step in steps if step.get("type") == "ByteLevel")
    if not byte_level.get("use_regex", True):
        return ""
    kinds = [step.get("type") for step in steps]
    if kinds == ["Digits", "ByteLevel"] and steps[0].get("individual_digits"):
        return "smollm"
    return "gpt-2" if kinds == ["ByteLevel"] else ""


def _is_plain(steps: Sequence[Json]) -> bool:
    """Tell whether nothing but Split patterns (and digits) decides, each piece kept."""
    splits = [step for step in steps if step.get("type") == "Split"]
    is_isolating = all(step.get("behavior") == "Isolated" and not step.get("invert") for step in splits)
    has_own_rule = any(step.get("type") == "ByteLevel" and step.get("use_regex", True) for step in steps)
    return is_isolating and not has_own_rule


def _pattern(step: Json) -> str:
    pattern = step.get("pattern") or {}
    return str(pattern.get("Regex") or pattern.get("String") or "")
