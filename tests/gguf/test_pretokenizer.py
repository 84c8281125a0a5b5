"""Splitting rules are recognised by their patterns, and never guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llmlora.core.errors import ExportError
from llmlora.gguf.pretokenizer import PATTERNS, has_byte_level, pre_tokenizer_name
from tiny_models import LLAMA3_SPLIT, QWEN2_SPLIT, tokenizer_document

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}


def split(pattern: str, **changes: Any) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False, **changes}


def test_known_patterns() -> None:
    assert pre_tokenizer_name([split(QWEN2_SPLIT), BYTE_LEVEL]) == "qwen2"
    assert pre_tokenizer_name([split(LLAMA3_SPLIT), BYTE_LEVEL]) == "llama-bpe"
    assert pre_tokenizer_name([{**BYTE_LEVEL, "use_regex": True}]) == "gpt-2"
    assert pre_tokenizer_name([{"type": "ByteLevel", "add_prefix_space": False}]) == "gpt-2"


def test_the_tests_own_tokenizers_are_recognised() -> None:
    expected = {"byte_level": "gpt-2", "gpt2": "gpt-2", "qwen2": "qwen2", "llama3": "llama-bpe"}
    for kind, name in expected.items():
        step = json.loads(tokenizer_document(kind))["pre_tokenizer"]
        assert pre_tokenizer_name(step.get("pretokenizers", [step])) == name


def test_the_table_holds_distinct_digests() -> None:
    assert len(set(PATTERNS.values())) == len(PATTERNS)
    assert all(len(digest) == 64 for digest in PATTERNS)


UNKNOWN = {
    "another pattern": [split(QWEN2_SPLIT + "x"), BYTE_LEVEL],
    "no pattern at all": [BYTE_LEVEL],
    "byte level's rule behind a split": [split(QWEN2_SPLIT), {**BYTE_LEVEL, "use_regex": True}],
    "removing instead of isolating": [split(QWEN2_SPLIT, behavior="Removed"), BYTE_LEVEL],
    "inverted": [split(QWEN2_SPLIT, invert=True), BYTE_LEVEL],
    "digits apart": [split(QWEN2_SPLIT), {"type": "Digits", "individual_digits": True}, BYTE_LEVEL],
    "a plain string": [{"type": "Split", "pattern": {"String": " "}, "behavior": "Isolated"}, BYTE_LEVEL],
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_others_are_refused(name: str) -> None:
    with pytest.raises(ExportError) as caught:
        pre_tokenizer_name(UNKNOWN[name])
    assert caught.value.code == "unknown_pre_tokenizer"


def test_has_byte_level() -> None:
    assert has_byte_level([split("x"), BYTE_LEVEL])
    assert not has_byte_level([{"type": "Metaspace"}])
