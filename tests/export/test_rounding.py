"""Rounding or mistake: which failures are looked at again, and how the float32 twin decides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.export.check import Check, failed, passed, within
from llmlora.export.merge import trained_source
from llmlora.export.rounding import (
    EXACT_LIMITS,
    EXACT_LIMITS_GELU,
    exact_limits,
    judged,
    may_be_rounding,
    twin_key,
    write_float32_twin,
)
from llmlora.export.runtime_checks import LIMITS
from llmlora.gguf.conversion import convert_tensors
from llmlora.gguf.reader import read_tensor
from llmlora.gguf.writer import write_gguf
from llmlora.inference.trained_job import find_trained
from tiny_jobs import MakeJob

RIGHT_TENSORS = passed("tensors", {"max_relative_rmse": 0.0})


def distances(max_diff: float, kl: float, quantization: str = "F16") -> list[Check]:
    logprobs = within("logprobs", "weights", {"max_diff": max_diff, "kl": kl}, LIMITS[quantization])
    return [RIGHT_TENSORS, logprobs]


@pytest.mark.parametrize(
    ("quantization", "max_diff", "kl", "expected"),
    [
        ("F16", 0.06, 1e-6, True),
        ("F16", 0.04, 1e-6, False),  # nothing failed
        ("F16", 0.06, 2e-4, False),  # KL says that it is more than rounding
        ("BF16", 0.5, 2e-4, True),
        ("BF16", 0.5, 2e-3, True),
        ("BF16", 0.5, 2e-2, False),
        ("F32", 0.06, 1e-6, False),  # nothing is rounded there
        ("Q8_0", 3.3, 0.049, True),
        ("Q8_0", 3.3, 0.24, False),
    ],
)
def test_only_what_rounding_could_explain_is_looked_at_again(
    quantization: str, max_diff: float, kl: float, expected: bool
):
    assert may_be_rounding(distances(max_diff, kl, quantization), quantization) is expected


def test_wrong_weights_and_other_causes_are_never_rounding():
    _, logprobs = distances(0.06, 1e-6)
    assert not may_be_rounding([failed("tensors", "values", "x", {}), logprobs], "F16")
    assert not may_be_rounding([RIGHT_TENSORS, failed("logprobs", "vocabulary", "x", {})], "F16")
    assert not may_be_rounding([logprobs], "F16")


@pytest.mark.parametrize(("exact", "is_ok"), [(2e-7, True), (2e-5, False)])
def test_a_q8_0_file_may_be_further_off_where_its_unrounded_twin_is_exact(exact: float, is_ok: bool):
    """A right file of Gemma 3 270M that kept all facts was refused: its stored weights alone were at 0.026."""
    twin = {"max_diff": 1e-4, "kl": exact, "num_contexts": 3}
    _, check = judged(distances(3.3, 0.049, "Q8_0"), "Q8_0", twin, EXACT_LIMITS)
    assert (check.ok, check.measured["float32_kl"], check.measured["kl"]) == (is_ok, exact, 0.049)


@pytest.mark.parametrize(
    ("twin", "is_ok"),
    [
        ({"max_diff": 1e-4, "kl": 0.0}, True),
        ({"max_diff": 6e-3, "kl": 0.0}, False),
        ({"max_diff": 1e-4, "kl": 2e-5}, False),
    ],
)
def test_the_twin_decides_and_both_numbers_are_recorded(twin: dict[str, Any], is_ok: bool):
    tensors, check = judged(distances(0.06, 1e-6), "F16", {**twin, "num_contexts": 3}, EXACT_LIMITS)
    assert tensors is RIGHT_TENSORS
    assert check.ok is is_ok
    assert check.measured["max_diff"] == 0.06
    assert check.measured["float32_max_diff"] == twin["max_diff"]
    assert check.limits == {"max_diff": 0.05, "kl": 1e-4, "float32_max_diff": 5e-3, "float32_kl": 1e-5}
    assert check.measured.get("rounding") == ("F16" if is_ok else None)
    assert bool(check.cause) is not is_ok


def header(architecture: str) -> GgufHeader:
    return GgufHeader(3, {"general.architecture": architecture}, {}, (), 32, 0)


def test_only_models_with_gelu_get_the_wider_limits():
    assert all(exact_limits(header(name)) is EXACT_LIMITS for name in ("llama", "qwen2", "qwen3", "phi3"))
    assert all(exact_limits(header(name)) is EXACT_LIMITS_GELU for name in ("gemma2", "gemma3", "gpt2", "gptneox"))
    for limits in (EXACT_LIMITS, EXACT_LIMITS_GELU):
        assert all(value < LIMITS["F16"][name] / 2 for name, value in limits.items())


def test_the_twin_has_the_files_header_and_the_unrounded_weights(make_job: MakeJob, tmp_path: Path):
    trained = find_trained(make_job("llama", {}))
    source, config = trained_source(trained)
    path, other, twin = (tmp_path / f"{name}.gguf" for name in ("F16", "BF16", "twin"))
    write_gguf(source, config, trained.result_dir, path, "F16", "llmlora-test")
    write_gguf(source, config, trained.result_dir, other, "BF16", "llmlora-test")
    tensors = convert_tensors(source, config)
    write_float32_twin(path, tensors, twin)
    before, after = read_gguf_header(path), read_gguf_header(twin)
    assert {tensor.ggml_type for tensor in after.tensors} == {"F32"}
    assert after.metadata["general.file_type"] == 0
    for key, value in before.metadata.items():
        assert key == "general.file_type" or after.metadata[key] == value
    for tensor in tensors:
        assert np.array_equal(read_tensor(twin, after, tensor.name), tensor.read())
    assert twin_key(before) == twin_key(read_gguf_header(other)) == twin_key(after)
    before.metadata["llama.attention.layer_norm_rms_epsilon"] = 0.5
    assert twin_key(before) != twin_key(after)
