"""The reference: the same numbers from memory and from disk, samples of the training data, a stop in the middle."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from llmlora.core.errors import Stopped
from llmlora.export import trained_answers
from llmlora.export.reference import MAX_STOP_FACTOR, MAX_STOP_TOKENS, Reference
from llmlora.export.sizes import float32_bytes
from llmlora.export.trained import TrainedModel, find_trained
from llmlora.export.trained_answers import build_reference, data_samples, fits_memory
from llmlora.gguf.source import FolderSource
from tiny_jobs import MakeJob

SMALL = {"hidden_size": 64, "intermediate_size": 64}


def with_memory(num_bytes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trained_answers, "available_memory_bytes", lambda: num_bytes)


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
    same = {"logprobs": None, "is_streamed": None}
    assert replace(streamed, **same) == replace(whole, **same)


def test_the_limit_is_the_size_in_float32_whatever_the_files_hold(make_job: MakeJob, monkeypatch: pytest.MonkeyPatch):
    trained = find_trained(make_job("llama", {}, dtype="bfloat16"))
    size = float32_bytes(FolderSource(trained.weights_dir))
    assert size > 1.9 * (trained.weights_dir / "model.safetensors").stat().st_size
    with_memory(int(size * 1.3) + trained_answers.WORKING_BYTES, monkeypatch)
    assert fits_memory(trained)
    with_memory(int(size * 1.1) + trained_answers.WORKING_BYTES, monkeypatch)
    assert not fits_memory(trained)


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


@pytest.fixture
def trained(make_job: MakeJob) -> TrainedModel:
    return find_trained(make_job("llama", {}, **SMALL))


def write_rows(trained: TrainedModel, rows: list[dict]) -> None:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    Path(trained.job.data.path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_samples_are_the_first_questions_and_all_texts_cut_short(trained: TrainedModel):
    write_rows(trained, [{"instruction": f"質問{number}", "output": "答" * 600} for number in range(12)])
    questions, texts = data_samples(trained)
    assert questions == ["質問0", "質問1"]
    assert len(texts) == 2 * trained_answers.NUM_SAMPLES
    assert max(map(len, texts)) == 500


def test_rows_without_turns_give_texts_only(trained: TrainedModel):
    write_rows(trained, [{"prompt": "昔々", "completion": "ある所に"}, {"prompt": "春は", "completion": "あけぼの"}])
    assert data_samples(trained) == ([], ["昔々", "ある所に", "春は", "あけぼの"])


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00", b'{"instruction": 1}'])
def test_data_that_is_gone_or_broken_is_no_obstacle(content: bytes | None, trained: TrainedModel):
    path = Path(trained.job.data.path)
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert data_samples(trained) == ([], [])
