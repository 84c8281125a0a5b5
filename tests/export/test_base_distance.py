"""The untouched base's own distance lifts a limit only where rounding is known to be the reason."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from export.planted_faults import write
from llmlora.core.layout import STITCHED
from llmlora.export.base_distance import SHARPER, base_type, judged_by_base, write_base
from llmlora.export.check import Check, within
from llmlora.export.file_checks import ModelPlan
from llmlora.export.merge import trained_source
from llmlora.export.rounding import EXACT_LIMITS
from llmlora.export.runtime_checks import LIMITS
from llmlora.export.trained_answers import base_logprobs, build_reference
from llmlora.export.verify import Verifier
from llmlora.gguf.quantize import quantize_gguf
from llmlora.inference import transformers_chat
from llmlora.inference.trained_job import find_trained
from llmlora.inference.transformers_chat import load_chat
from llmlora.prepare.asking import chat_format
from tiny_jobs import MakeJob


def stitched(kl: float) -> Check:
    return within("logprobs", "weights", {"kl": kl, "max_diff": 0.4}, LIMITS[STITCHED])


def test_only_rounding_is_judged_by_the_base():
    assert base_type(stitched(0.034), STITCHED) == STITCHED
    assert base_type(stitched(0.005), STITCHED) is None
    assert base_type(within("logprobs", "weights", {"kl": 0.2}, {"kl": 0.01}), "Q8_0") is None
    assert base_type(within("logprobs", "adapter", {"kl": 1.0}, {"kl": 1e-5}), None) == "F32"
    f16 = within("logprobs", "weights", {"max_diff": 0.3, "kl": 1e-3}, {"max_diff": 0.05, "kl": 1e-4})
    assert base_type(f16, "F16") is None
    twin = within("logprobs", "weights", {"float32_max_diff": 0.025}, {"float32_max_diff": 0.02})
    assert base_type(twin, "F16") == "F32"


def test_a_sharper_model_may_be_as_many_times_further_off():
    base = {"kl": 0.0094, "max_diff": 0.3}
    check = judged_by_base(stitched(0.034), base)
    assert check.ok
    assert (check.limits["kl"], check.measured["base_kl"]) == (SHARPER * 0.0094, 0.0094)
    assert not judged_by_base(stitched(0.05), base).ok


def test_a_base_that_is_too_far_off_itself_shows_a_fault_and_lifts_nothing():
    """A faulty converter writes base and trained model wrongly alike."""
    check = judged_by_base(stitched(0.03), {"kl": 0.03, "max_diff": 1.0})
    assert (check.ok, check.cause, check.limits["kl"]) == (False, "weights", 0.02)


def test_a_twin_is_held_to_its_own_limits_only():
    measured = {"max_diff": 0.3, "kl": 5e-5, "float32_max_diff": 0.025, "float32_kl": 2e-6}
    limits = {"float32_max_diff": 0.02, "float32_kl": 1e-5}
    check = within("logprobs", "weights", measured, limits)
    again = judged_by_base(check, {"max_diff": 0.01, "kl": 1e-6})
    assert again.ok
    assert again.limits["float32_max_diff"] == SHARPER * 0.01


def sharpened(job: Path, factor: float) -> None:
    """Make a fully trained model surer of every answer, as tuning does."""
    path = job / "model" / "model.safetensors"
    tensors = load_file(path)
    tensors["model.norm.weight"] = tensors["model.norm.weight"] * factor
    save_file(tensors, path, metadata={"format": "pt"})


def test_a_sharp_fully_trained_model_is_measured_by_its_unrounded_weights(make_job: MakeJob, tmp_path: Path):
    """Measured: its Q8_0 file is at KL 0.0121, above the limit of 0.01; no base is needed to tell why."""
    job = make_job("llama", None, spread=1.15)
    sharpened(job, 2.0)
    shutil.rmtree(job.parent / "base")
    trained = find_trained(job)
    reference = build_reference(trained)
    write(trained, tmp_path / "F16.gguf")
    quantize_gguf(tmp_path / "F16.gguf", tmp_path / "Q8_0.gguf", "Q8_0")
    checks = Verifier(trained, reference, num_threads=1).check_model(tmp_path / "Q8_0.gguf", "Q8_0")
    assert all(check.ok for check in checks), checks
    check = next(check for check in checks if check.check == "logprobs")
    assert check.measured["float32_kl"] < EXACT_LIMITS["kl"] < LIMITS["Q8_0"]["kl"] < check.measured["kl"]
    assert check.measured["rounding"] == "Q8_0"
    assert not list(tmp_path.glob(".tmp-*"))


@pytest.mark.parametrize(("architecture", "adapter"), [("llama", None), ("gemma2", {})])
def test_the_bases_answers_are_the_same_read_from_disk(
    architecture: str, adapter: dict[str, Any] | None, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
):
    trained = find_trained(make_job(architecture, adapter))
    contexts = [[5, 6, 7], [5, 6, 7, 8, 9], [4], [4, 9]]
    found = []
    for num_bytes in (1 << 40, 1 << 10):
        monkeypatch.setattr(transformers_chat, "available_memory_bytes", lambda size=num_bytes: size)
        found.append(base_logprobs(trained, contexts))
    chat = load_chat(trained.base)
    expected = np.stack([chat.next_token_logprobs(ids) for ids in contexts])
    for answers in found:
        np.testing.assert_allclose(answers, expected, atol=1e-5)


def test_a_base_of_another_type_holds_what_quantising_its_float32_file_gives(make_job: MakeJob, tmp_path: Path):
    trained = find_trained(make_job("llama", {}))
    source, config = trained_source(trained)
    plan = ModelPlan.of(trained, source, config, chat_format(trained.template))
    for kind in ("F32", "Q8_0", "Q4_K_M"):
        write_base(trained, plan.file(kind), tmp_path / f"{kind}.gguf")
    for kind in ("Q8_0", "Q4_K_M"):
        quantize_gguf(tmp_path / "F32.gguf", tmp_path / f"by-way-{kind}.gguf", kind)
        assert (tmp_path / f"{kind}.gguf").read_bytes() == (tmp_path / f"by-way-{kind}.gguf").read_bytes()
