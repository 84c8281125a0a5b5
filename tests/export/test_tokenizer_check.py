"""What the comparison of token ids lets pass: differences that llama.cpp has with every file of a kind, counted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from llmlora.export.reference import TokenizedText
from llmlora.export.runtime_checks import check_tokenizer

FRENCH, HINDI, JAPANESE, SPACED = "NAÏVE", "हिन्दी", "日本語", " a"


def checked(different: list[str], **keys: str) -> dict[str, Any]:
    """Return the check of a file that gives other ids to some texts."""
    texts = [TokenizedText(text, [1], [0, 1]) for text in (FRENCH, HINDI, JAPANESE, SPACED)]
    chat: Any = SimpleNamespace(
        header=SimpleNamespace(metadata={f"tokenizer.ggml.{name}": value for name, value in keys.items()}),
        tokenize=lambda text, add_special: [9] if text in different else [0, 1] if add_special else [1],
    )
    found = check_tokenizer(chat, SimpleNamespace(texts=texts))  # type: ignore[arg-type]
    return {"ok": found.ok, **found.measured}


@pytest.mark.parametrize("rule", ["tekken", "gpt-4o"])
def test_letters_that_a_rule_of_llamacpp_narrows_are_counted_not_refused(rule: str) -> None:
    found = checked([FRENCH, HINDI], model="gpt2", pre=rule)
    assert found == {
        "ok": True, "num_texts": 4, "num_different": 0, "num_leading_space": 0, "num_other_scripts": 2
    }  # fmt: skip
    assert not checked([FRENCH, JAPANESE], model="gpt2", pre=rule)["ok"]


@pytest.mark.parametrize("text", [FRENCH, HINDI, JAPANESE, SPACED])
def test_other_rules_let_nothing_pass(text: str) -> None:
    found = checked([text], model="gpt2", pre="qwen2")
    assert (found["ok"], found["num_different"]) == (False, 1)


def test_a_space_at_the_beginning_is_llamacpps_own() -> None:
    assert checked([SPACED], model="llama")["num_leading_space"] == 1
    assert not checked([SPACED, JAPANESE], model="llama")["ok"]
