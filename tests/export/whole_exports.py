"""Export jobs of several architectures and collect what came out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import LlmloraError
from llmlora.core.publish import sha256_file
from llmlora.export.pipeline import ExportRequest, export_model
from tiny_jobs import tiny_job

MIX = ("F16", "Q8_0", "Q4_K_M", "Q2_K")
PAIR = ("F16", "Q4_K_M")
# name -> architecture, adapter settings (None: method full), quantizations, whether adapter.gguf is asked for
CASES: dict[str, tuple[str, dict[str, Any] | None, tuple[str, ...], bool]] = {
    "llama": ("llama", {"use_rslora": True}, MIX, True),
    "qwen2": ("qwen2", {}, PAIR, True),
    "qwen3": ("qwen3", {}, PAIR, True),
    "gemma2": ("gemma2", {}, MIX, True),
    "gpt2": ("gpt2", {}, PAIR, True),
    "mistral": ("mistral", {}, ("F16",), False),
    "phi3": ("phi3", {}, ("F16",), True),
    "gpt_neox": ("gpt_neox", {}, ("F16",), True),
    "dora": ("llama", {"use_dora": True}, ("F16",), False),
    "untied": ("llama", {"target_modules": ["q_proj"], "modules_to_save": ["lm_head"]}, ("F16",), False),
    "full": ("qwen2", None, ("Q4_K_M",), False),
    "dora_adapter": ("llama", {"use_dora": True}, ("F16",), True),
    "full_adapter": ("llama", None, ("F16",), True),
    "unknown": ("llama", {}, ("F16", "Q4_X"), False),
}


def export(job: Path, output: Path, quantizations: tuple[str, ...], adapter: bool) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    try:
        report = export_model(ExportRequest(job, output, quantizations, adapter))
    except LlmloraError as error:
        report = {"error": error.code, "params": {name: str(value) for name, value in error.params.items()}}
    return {**report, "names": sorted(path.name for path in output.iterdir())}


def all_results(folder: Path) -> dict[str, Any]:
    """Return the result of every case, with the names of the files it left."""
    results: dict[str, Any] = {}
    for name, (architecture, settings, quantizations, adapter) in CASES.items():
        (folder / name).mkdir()
        job = tiny_job(architecture, folder / name, settings, spread=0.7)
        results[name] = export(job, folder / name / "out", quantizations, adapter)
    job, output = folder / "llama" / "job", folder / "llama" / "out"
    before = {path.name: sha256_file(path) for path in output.glob("*.gguf")}
    (output / "model-Q8_0.gguf").unlink()
    (output / ".tmp-model-Q8_0.gguf-1").write_bytes(b"left by a killed run")
    results["again"] = export(job, output, MIX, True)
    results["same_bytes"] = before == {path.name: sha256_file(path) for path in output.glob("*.gguf")}
    results["other_job"] = export(folder / "dora" / "job", output, ("F16",), False)
    return results
