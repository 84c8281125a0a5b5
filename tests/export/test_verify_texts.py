"""The texts of verification: many, different, and none that llama.cpp could not tokenise as the model does."""

from __future__ import annotations

import unicodedata

from llmlora.export.verify_texts import comparison_texts, conversations


def test_texts_are_composed_because_llamacpp_composes_nothing() -> None:
    """Qwen's tokenizer makes one letter of \u304b and a voiced mark; a refused export would be the wrong answer."""
    apart = "\u304b\u3099\u304d\u3099 e\u0301"
    texts = comparison_texts([apart], ["<s>"])
    assert "\u304c\u304e \u00e9" in texts
    assert all(unicodedata.is_normalized("NFC", text) for text in texts)


def test_texts_are_many_and_different_and_hold_samples_and_special_tokens() -> None:
    texts = comparison_texts(["sample"], [f"<{number}>" for number in range(12)])
    assert len(texts) == len(set(texts)) > 180
    assert "sample" in texts
    assert sum("<7>" in text for text in texts) == 3
    assert not any("<8>" in text for text in texts)
    assert any(text.startswith(" ") for text in texts)
    assert any(text.endswith("  ") for text in texts)


def test_conversations_have_five_shapes_and_begin_with_the_datas_own_question() -> None:
    shapes = [[turn.role for turn in messages] for messages in conversations(["mine"], "rule")]
    assert shapes == [
        ["user"],
        ["system", "user"],
        ["user", "assistant", "user"],
        ["system", "user", "assistant", "user"],
        ["system", "user", "assistant", "user", "assistant", "user"],
    ]
    assert conversations(["mine"], "rule")[0][0].content == "mine"
    assert conversations([], "rule")[1][0].content == "rule"
