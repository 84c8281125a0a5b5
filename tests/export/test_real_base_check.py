"""A pretrained file that somebody else made passes the comparison with llama.cpp before training."""

from __future__ import annotations

import pytest

from llmlora.export.base_check import MAX_KL, MAX_ROUNDED_KL, check_opened
from llmlora.weights.base import open_gguf
from real_models import original_gguf


@pytest.mark.usefixtures("home")
def test_smollm2_is_the_model_that_llamacpp_runs() -> None:
    measured = check_opened(open_gguf(original_gguf("smollm2")))
    assert measured["tokenizer"] == {
        "num_texts": 228,
        "num_different": 0,
        "num_leading_space": 0,
        "num_other_scripts": 0,
    }
    assert len(measured["template"]["num_tokens"]) == 5
    assert measured["logprobs"]["max_kl"] < MAX_ROUNDED_KL
    exact = measured.get("unrounded", measured["logprobs"])
    assert exact["max_kl"] < MAX_KL
    assert exact["top1_agreement"] == 1.0
