"""A job whose weights diverged is named as that, by whoever meets its weights first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from llmlora.core.errors import ExportError, ModelFileError
from llmlora.export.merge import merge_model
from llmlora.export.pipeline import ExportRequest, export_model
from llmlora.export.trained_answers import build_reference
from llmlora.inference.chat import ChatRequest
from llmlora.inference.trained_job import find_trained
from llmlora.inference.transformers_chat import load_chat
from llmlora.weights.base import open_folder
from tiny_jobs import MakeJob

SMALL = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}
ADAPTER, MODEL = Path("adapter/adapter_model.safetensors"), Path("model/model.safetensors")


def diverge(path: Path, value: float) -> None:
    """Fill what was trained of one matrix with a value: NaN, infinity, or a number whose products overflow."""
    tensors = load_file(path)
    for name in [name for name in tensors if "mlp.down_proj" in name]:
        tensors[name] = torch.full_like(tensors[name], value)
    save_file(tensors, path, metadata={"format": "pt"})


@pytest.mark.parametrize(
    ("adapter", "file", "value"),
    [({}, ADAPTER, torch.nan), ({}, ADAPTER, torch.inf), ({}, ADAPTER, 1e25), (None, MODEL, torch.nan)],
)
@pytest.mark.parametrize("what", ["export", "adapter", "merge"])
def test_nothing_is_made_of_diverged_weights(
    adapter: dict[str, Any] | None, file: Path, value: float, what: str, make_job: MakeJob, tmp_path: Path
):
    job = make_job("llama", adapter, **SMALL)
    diverge(job / file, value)
    out = tmp_path / "out"
    out.mkdir()
    with_adapter = what == "adapter" and adapter is not None
    work: dict[bool, Callable[[], object]] = {
        True: lambda: merge_model(job, out),
        False: lambda: export_model(ExportRequest(job, out, ("F16",), adapter=with_adapter)),
    }
    with pytest.raises(ModelFileError) as caught:
        work[what == "merge"]()
    assert caught.value.code == "weights_diverged"
    assert "down_proj" in caught.value.params["name"]
    assert caught.value.params["path"] == str(job / file.parent)
    assert "--set learning_rate=" in caught.value.params["words"]
    assert not list(out.glob("model-*.gguf"))


@pytest.mark.parametrize(
    ("adapter", "file", "value"), [({}, ADAPTER, torch.nan), ({}, ADAPTER, 1e25), (None, MODEL, 3e38)]
)
def test_nobody_is_answered_from_diverged_weights(
    adapter: dict[str, Any] | None, file: Path, value: float, make_job: MakeJob
):
    """Large numbers overflow only when they are computed with: the files are in order, no answer is."""
    job = make_job("llama", adapter, **SMALL)
    diverge(job / file, value)
    trained = find_trained(job)
    chat = load_chat(trained.weights, trained.adapter_dir)
    with pytest.raises(ModelFileError) as caught:
        chat.chat(ChatRequest(prompt="a"))
    assert (caught.value.code, caught.value.params["path"]) == ("weights_diverged", str(job / file.parent))
    with pytest.raises(ModelFileError, match="weights_diverged"):
        build_reference(trained)


@pytest.mark.parametrize("quantization", ["Q8_0", "Q4_K_M", "Q2_K"])
def test_weights_that_grew_too_large_for_a_type_are_refused(quantization: str, make_job: MakeJob, tmp_path: Path):
    job = make_job("llama", {}, **SMALL)
    diverge(job / ADAPTER, 1e4)
    (tmp_path / "out").mkdir()
    with pytest.raises(ExportError) as caught:
        export_model(ExportRequest(job, tmp_path / "out", (quantization,)))
    assert caught.value.code == "block_overflow"
    assert "ffn_down" in caught.value.params["name"]
    assert not list((tmp_path / "out").glob("*.gguf"))


def test_a_model_that_no_job_trained_is_only_broken(make_job: MakeJob):
    job = make_job("llama", None, **SMALL)
    base = job.parent / "base"
    diverge(base / "model.safetensors", torch.nan)
    with pytest.raises(ModelFileError) as caught:
        load_chat(open_folder(base)).chat(ChatRequest(prompt="a"))
    assert (caught.value.code, caught.value.params["path"]) == ("weights_not_finite", str(base))
