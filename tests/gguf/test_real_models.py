"""The folders made of two pretrained GGUF files give those files' token ids and next-token distributions."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer

from llama_child import LlamaChild
from llmlora.engine.load import load_base
from llmlora.weights.base import open_folder
from real_models import Name, original_gguf, real_model

TEXTS = (
    "The parcel costs $6.99 and arrives in 12 days, by 2026-11-29.",
    "  two spaces,\n\n\tthen a tab; don't   stop\n",
    "返品は商品到着後14日以内、送料は550円です。ｶﾀｶﾅと（全角）も。",
    "def f(x):\n    return {'a': x ** 2}  # 🙂 — naïve café",
)
CONTEXT = 24
# llama.cpp rounds what it multiplies with quantised weights to 8 bits: up to 0.019 was measured where all is right.
MAX_KL = 0.03


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaChild]:
    child = LlamaChild()
    yield child
    child.close()


@pytest.mark.parametrize("name", ["smollm2", "gemma3"])
def test_a_folder_speaks_as_its_file(name: Name, llama: LlamaChild):
    tokenizer = Tokenizer.from_file(str(real_model(name) / "tokenizer.json"))
    ids = [tokenizer.encode(text).ids for text in TEXTS]
    contexts = [ids[index][:CONTEXT] for index in (0, 2)]
    answer = llama.ask(original_gguf(name), contexts=contexts, texts=TEXTS)
    assert answer.tokens == ids
    model = load_base(open_folder(real_model(name)), "float32")
    with torch.inference_mode():
        rows = [torch.log_softmax(model(input_ids=torch.tensor([row])).logits[0, -1].double(), -1) for row in contexts]
    for expected, row in zip((row.numpy() for row in rows), answer.logprobs.astype(np.float64), strict=True):
        got = row - np.log(np.exp(row).sum())
        kl = float((np.exp(expected) * (expected - got)).sum())
        assert 0 <= kl < MAX_KL
        assert got.argmax() == expected.argmax()
