"""Splitting rules are recognised by their patterns, and never guessed."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from llmlora.core.errors import ExportError
from llmlora.gguf.pretokenizer import PATTERNS, RULES, has_byte_level, pre_tokenizer_name
from tiny_models import LLAMA3_SPLIT, QWEN2_SPLIT, tokenizer_document

DIGITS = {"type": "Digits", "individual_digits": True}
OWN_RULE = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True}
BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}


def split(pattern: str, **changes: Any) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False, **changes}


def test_known_patterns() -> None:
    assert pre_tokenizer_name([split(QWEN2_SPLIT), BYTE_LEVEL]) == "qwen2"
    assert pre_tokenizer_name([split(LLAMA3_SPLIT), BYTE_LEVEL], ignores_merges=True) == "llama-bpe"
    assert pre_tokenizer_name([OWN_RULE]) == "gpt-2"
    assert pre_tokenizer_name([{"type": "ByteLevel", "add_prefix_space": False}]) == "gpt-2"
    assert pre_tokenizer_name([DIGITS, OWN_RULE]) == "smollm"


def test_one_pattern_has_two_names_with_and_without_merges() -> None:
    """llama.cpp takes a whole piece that is a token as it stands under `llama-bpe`, and merges under `dbrx`."""
    steps = [split(LLAMA3_SPLIT), BYTE_LEVEL]
    assert [pre_tokenizer_name(steps, ignores) for ignores in (True, False)] == ["llama-bpe", "dbrx"]


@pytest.mark.parametrize(("name", "ignores"), [("qwen2", True), ("gpt-4o", True), ("tekken", False)])
def test_a_rule_that_llamacpp_has_only_the_other_way_round_is_refused(
    name: str, ignores: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [split("x"), BYTE_LEVEL]
    monkeypatch.setitem(RULES, (hashlib.sha256(b"x").hexdigest(), False), name)
    assert pre_tokenizer_name(steps, not ignores) == name
    with pytest.raises(ExportError) as caught:
        pre_tokenizer_name(steps, ignores)
    assert (caught.value.code, name in caught.value.params["kind"]) == ("unsupported_tokenizer", True)


def test_the_tests_own_tokenizers_are_recognised() -> None:
    expected = {"byte_level": "gpt-2", "gpt2": "gpt-2", "qwen2": "qwen2", "llama3": "llama-bpe"}
    for kind, name in expected.items():
        document = json.loads(tokenizer_document(kind))
        step, ignores = document["pre_tokenizer"], document["model"]["ignore_merges"]
        assert pre_tokenizer_name(step.get("pretokenizers", [step]), ignores) == name


def test_the_table_holds_distinct_digests() -> None:
    assert len(set(PATTERNS.values())) == len(PATTERNS)
    assert all(len(digest) == 64 for digest in PATTERNS)


UNKNOWN = {
    "another pattern": [split(QWEN2_SPLIT + "x"), BYTE_LEVEL],
    "no pattern at all": [BYTE_LEVEL],
    "byte level's rule behind a split": [split(QWEN2_SPLIT), {**BYTE_LEVEL, "use_regex": True}],
    "removing instead of isolating": [split(QWEN2_SPLIT, behavior="Removed"), BYTE_LEVEL],
    "inverted": [split(QWEN2_SPLIT, invert=True), BYTE_LEVEL],
    "digits apart": [split(QWEN2_SPLIT), DIGITS, BYTE_LEVEL],
    "digits in groups": [{**DIGITS, "individual_digits": False}, OWN_RULE],
    "digits behind": [OWN_RULE, DIGITS],
    "digits and no rule": [DIGITS, BYTE_LEVEL],
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
