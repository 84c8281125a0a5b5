"""llmlora's side of llama.cpp's built-in splitting rules: the steps of a `tokenizer.json` that do the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Steps = list[dict[str, Any]]

_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_QWEN2 = (
    _WORDS + r"|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)  # fmt: skip
_QWEN35 = (
    _WORDS + r"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)  # fmt: skip
_LLAMA3 = _QWEN2.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)
# The published patterns tell capitals from small letters in every script, and take marks (as of Hindi) for letters;
# llama.cpp does the first for A to Z alone, and not the second.
_UPPER, _LOWER = r"(?:(?=\p{L})[^a-z])", r"(?:(?=\p{L})[^A-Z])"
_TEKKEN = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*|"
    r"\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_GPT4O = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_WORDS}?|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_WORDS}?|"
    r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# llama.cpp takes no space outside ASCII for a character of these.
_FAR_EAST = (
    "[\u4e00-\u9fa5\u0800-\u167f\u1681-\u1fff\u200b-\u2027\u202a-\u202e\u2030-\u205e\u2060-\u2fff"
    "\u3001-\u4e00\uac00-\ud7ff]+"
)
_DEEPSEEK_CODER = ("[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _FAR_EAST)
_DEEPSEEK_LLM = (
    *("[\r\n]", r"\s?[\p{Lu}\p{Ll}\p{Lt}]+", "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3001\u3002]+"),
    *(r"\s+$", _FAR_EAST, r"\p{N}+"),
)
_DEEPSEEK_V3 = (
    r"\p{N}{1,3}",
    "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
    "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+|"
    " ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+",
)
_SENTENCES = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"
_FALCON = (r"[\p{P}\$\+<=>\^~\|`]+", _GPT2, "[0-9][0-9][0-9]")
_EXAONE_MOE = (
    _WORDS + r"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|"
    r"\s*[\r\n]|\s+(?!\S)|\s+"
)

# llama.cpp's name of a rule -> its Split patterns, and whether whole pieces that are tokens are taken unmerged. Each is
# held against llama.cpp itself (tests/gguf/test_splitting_rules.py).
SPLITS: dict[str, tuple[Sequence[str], bool]] = {
    "qwen2": ((_QWEN2,), False),
    "qwen35": ((_QWEN35,), False),
    "llama-bpe": ((_LLAMA3,), True),
    "dbrx": ((_LLAMA3,), False),
    "tekken": ((_TEKKEN,), True),
    "gpt-4o": ((_GPT4O,), False),
    "deepseek-coder": (_DEEPSEEK_CODER, False),
    "deepseek-llm": (_DEEPSEEK_LLM, False),
    "deepseek-v3": (_DEEPSEEK_V3, False),
    "falcon": (_FALCON, False),
    "default": (("[\\p{P}\\$\\+<=>\\^~\\|]+", _GPT2, r"\p{N}+", "[0-9][0-9][0-9]"), False),
    "poro-chat": ((_SENTENCES,), False),
    "viking": ((_SENTENCES, r"\p{N}"), False),
    "seed-coder": ((_QWEN2.replace(r"\p{N}]+[\r\n]*|", r"\p{N}\r\n]+|", 1),), False),
    "superbpe": ((r"\p{N}+", "(?=([0-9]{3})+(?![0-9]))"), False),
    "exaone-moe": ((_EXAONE_MOE,), False),
    "minicpm5": ((r"\p{N}{1,3}", _QWEN2.replace(r"\p{N}|", r"\p{N}+|", 1)), False),
}
DIGITS_APART = ("deepseek-coder", "smollm")
OWN_RULES = ("gpt-2", "smollm")  # ByteLevel's own pattern
# Names under which llama.cpp has one of the rules above a second time.
SAME_RULE = {
    "llama3": "llama-bpe", "llama-v3": "llama-bpe", "falcon3": "llama-bpe", "falcon-h1": "llama-bpe",
    "pixtral": "llama-bpe", "midm-2.0": "llama-bpe", "lfm2": "llama-bpe", "smaug-bpe": "dbrx",
    "phi-2": "gpt-2", "jina-es": "gpt-2", "jina-de": "gpt-2", "gigachat": "gpt-2", "a.x-4.0": "gpt-2",
    "mellum": "gpt-2", "exaone4": "gpt-2", "mpt": "gpt-2", "olmo": "gpt-2", "jais": "gpt-2", "trillion": "gpt-2",
    "granite-docling": "gpt-2", "deepseek-r1-qwen": "qwen2", "kormo": "qwen2", "stablelm2": "qwen2", "megrez": "qwen2",
    "hunyuan": "qwen2", "solar-open": "qwen2", "starcoder": "smollm", "refact": "smollm", "command-r": "smollm",
    "codeshell": "smollm", "exaone": "smollm", "minerva-7b": "smollm", "llama4": "gpt-4o", "minimax-m2": "gpt-4o",
    "hunyuan-dense": "deepseek-v3", "joyai-llm": "deepseek-v3", "bloom": "poro-chat", "gpt3-finnish": "poro-chat",
    "chatglm-bpe": "dbrx", "glm4": "dbrx", "grok-2": "qwen2", "bailingmoe": "qwen2", "bailingmoe2": "qwen2",
    "llada-moe": "qwen2",
}  # fmt: skip
ADDS_BOS = ("llama-bpe", "tekken")  # where the file does not say


def known_rule(name: str) -> str | None:
    """Return the rule that a file's `tokenizer.ggml.pre` stands for; None when there is none of that name here."""
    name = SAME_RULE.get(name, name)
    return name if name in SPLITS or name in OWN_RULES else None


def pre_tokenizer_steps(rule: str) -> Steps:
    """Return the pre-tokenizer of a `tokenizer.json` for a rule; its last step turns text into byte characters."""
    patterns, _ = SPLITS.get(rule, ((), False))
    digits: Steps = [{"type": "Digits", "individual_digits": True}] if rule in DIGITS_APART else []
    splits: Steps = [
        {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
        for pattern in patterns
    ]
    return [*splits, *digits, byte_level(use_regex=rule in OWN_RULES)]


def byte_level(use_regex: bool) -> dict[str, Any]:
    """Return the step that turns text into byte characters, split by its own pattern or as it comes."""
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": use_regex}


def ignores_merges(rule: str) -> bool:
    """Tell whether a rule takes a whole piece that is a token as it stands, whatever the merges say."""
    return rule in SPLITS and SPLITS[rule][1]
