"""Whole exports: exported == trained for each architecture, exact file sets, idempotence, refusals before spending."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from export.whole_exports import all_results

TESTS = Path(__file__).parents[1]
Results = dict[str, Any]
pytestmark = pytest.mark.timeout(900)
DESCRIPTIONS = {"Modelfile", "README.md", "meta.json", "verify.json"}
# adapter parity in float32; the GELU of llama.cpp is a table of float16 values
PARITY = {"llama": 1e-4, "qwen2": 1e-4, "qwen3": 1e-4, "phi3": 1e-4, "gemma2": 3e-3, "gpt2": 3e-3, "gpt_neox": 3e-3}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="module")
def results(folder: Path) -> Results:
    return all_results(folder)


def measured(results: Results, case: str, check: str) -> dict[str, dict[str, Any]]:
    """Return what a check measured, by file."""
    return {
        entry["file"]: found["measured"]
        for entry in results[case]["verify"]["files"]
        for found in entry["checks"]
        if found["check"] == check
    }


@pytest.mark.parametrize("case", ["llama", "qwen2", "qwen3", "gemma2", "gpt2"])
def test_every_file_gives_the_trained_answers(case: str, results: Results):
    report = results[case]["verify"]
    assert report["ok"], report
    models = {entry["file"] for entry in report["files"] if entry["quantization"]}
    assert set(results[case]["names"]) == DESCRIPTIONS | {"adapter.gguf"} | models
    logprobs = measured(results, case, "logprobs")
    assert {"model-F16.gguf", "model-Q4_K_M.gguf"} <= models
    assert logprobs["model-F16.gguf"]["max_diff"] < 0.05
    assert logprobs["model-F16.gguf"]["kl"] < 1e-4


@pytest.mark.parametrize("case", ["llama", "gemma2"])
def test_quality_falls_with_the_size(case: str, results: Results):
    logprobs = measured(results, case, "logprobs")
    divergences = [logprobs[f"model-{name}.gguf"]["kl"] for name in ("F16", "Q8_0", "Q4_K_M", "Q2_K")]
    assert divergences == sorted(divergences)
    assert divergences[1] < 0.01
    sizes = {entry["file"]: entry["size_bytes"] for entry in results[case]["files"]}
    ordered = [sizes[f"model-{name}.gguf"] for name in ("F16", "Q8_0", "Q4_K_M", "Q2_K")]
    assert ordered == sorted(ordered, reverse=True)


@pytest.mark.parametrize("case", ["mistral", "phi3", "gpt_neox", "dora", "untied", "full"])
def test_other_models_and_methods_are_exact_too(case: str, results: Results):
    assert "error" not in results[case], results[case]
    assert results[case]["verify"]["ok"]


@pytest.mark.parametrize(("case", "limit"), PARITY.items())
def test_adapter_file_on_the_base_equals_peft(case: str, limit: float, results: Results):
    assert measured(results, case, "logprobs")["adapter.gguf"]["max_diff"] <= limit


def test_full_training_leaves_only_what_was_asked(results: Results):
    assert set(results["full"]["names"]) == DESCRIPTIONS | {"model-Q4_K_M.gguf"}
    assert results["full"]["model_file"] == "model-Q4_K_M.gguf"


def test_doing_it_again_makes_only_what_is_missing_with_the_same_bytes(results: Results):
    again = {entry["file"]: entry["reused"] for entry in results["again"]["files"]}
    assert [name for name, is_reused in again.items() if not is_reused] == ["model-Q8_0.gguf"]
    assert results["same_bytes"]
    assert set(results["again"]["names"]) == set(results["llama"]["names"])


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("dora_adapter", "adapter_needs_merge"),
        ("full_adapter", "no_adapter_to_export"),
        ("unknown", "unknown_quantization"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(case: str, code: str, results: Results):
    assert results[case]["error"] == code
    assert results[case]["names"] == []


def test_the_export_of_another_job_is_not_mixed_in(results: Results):
    assert results["other_job"]["error"] == "output_other_job"
    assert set(results["other_job"]["names"]) == set(results["llama"]["names"])


def test_records_name_the_parents_and_no_temporary_file_stays(folder: Path, results: Results):
    output = folder / "llama" / "out"
    meta = json.loads((output / "meta.json").read_text(encoding="utf-8"))
    job = json.loads((folder / "llama" / "job" / "config.json").read_text(encoding="utf-8"))
    assert (meta["job_id"], meta["base_digest"]) == (job["id"], job["base_digest"])
    assert set(meta["files"]) == {path.name for path in output.glob("*.gguf")}
    verify = json.loads((output / "verify.json").read_text(encoding="utf-8"))
    assert {entry["file"]: entry["sha256"] for entry in verify["files"]} == {
        name: entry["sha256"] for name, entry in meta["files"].items()
    }
    modelfile = (output / "Modelfile").read_text(encoding="utf-8")
    assert modelfile.startswith("FROM ./model-Q4_K_M.gguf\n")
    assert 'PARAMETER stop "<|im_end|>"' in modelfile
