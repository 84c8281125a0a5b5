"""The reference: the same numbers from memory and from disk, samples of the training data, a stop in the middle."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from llmlora.core.errors import Stopped
from llmlora.export.reference import MAX_STOP_FACTOR, MAX_STOP_TOKENS, Reference
from llmlora.export.trained_answers import build_reference
from llmlora.gguf.source import float32_bytes
from llmlora.inference import transformers_chat
from llmlora.inference.trained_job import find_trained
from llmlora.inference.transformers_chat import WORKING_BYTES, fits_memory
from tiny_jobs import MakeJob

SMALL = {"hidden_size": 64, "intermediate_size": 64}


def with_memory(num_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers_chat, "available_memory_bytes", lambda: num_bytes)


@pytest.mark.parametrize(("architecture", "adapter"), [("llama", {"use_dora": True}), ("gemma2", {}), ("qwen2", None)])
def test_a_model_larger_than_memory_gives_the_same_reference(
    architecture: str, adapter: dict | None, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
):
    trained = find_trained(make_job(architecture, adapter))
    found: dict[bool, Reference] = {}
    for num_bytes in (1 << 40, 1 << 10):
        with_memory(num_bytes, monkeypatch)
        reference = build_reference(trained)
        found[reference.is_streamed] = reference
    whole, streamed = found[False], found[True]
    np.testing.assert_allclose(streamed.logprobs, whole.logprobs, atol=1e-6)
    # An adapter is switched off, for the base's own distance, only where the weights stay in memory.
    assert (whole.base_logprobs is None, streamed.base_logprobs) == (adapter is None, None)
    same = {"logprobs": None, "is_streamed": None, "base_logprobs": None}
    assert replace(streamed, **same) == replace(whole, **same)


def test_the_limit_is_the_size_in_float32_whatever_the_files_hold(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch):
    trained = find_trained(make_job("llama", {}, dtype="bfloat16"))
    size = float32_bytes(trained.base.source)
    assert size > 1.9 * (trained.base.path / "model.safetensors").stat().st_size
    with_memory(int(size * 1.3) + WORKING_BYTES, monkeypatch)
    assert fits_memory(trained.base)
    with_memory(int(size * 1.1) + WORKING_BYTES, monkeypatch)
    assert not fits_memory(trained.base)


def test_a_stop_ends_the_reference_at_once(make_job: MakeJob):
    calls = iter(range(100))

    def stop() -> None:
        if next(calls) == 2:
            raise Stopped("interrupted")

    with pytest.raises(Stopped):
        build_reference(find_trained(make_job("llama", {}, **SMALL)), stop)
    assert next(calls) == 3


def test_the_context_holds_the_longest_prompt_and_its_reply():
    contexts = [[1] * 5, [1] * 300]
    reference = Reference([], [], contexts, np.zeros((2, 4)), (), False, 2, {}, "", "")
    assert reference.context_length >= 300 + MAX_STOP_FACTOR * MAX_STOP_TOKENS
    assert replace(reference, contexts=[]).context_length >= MAX_STOP_FACTOR * MAX_STOP_TOKENS
