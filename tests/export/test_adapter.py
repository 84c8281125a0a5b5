"""A saved adapter as changes of base tensors: names, scaling, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from llmlora.core.errors import ExportError, ModelFileError
from llmlora.export.adapter import Adapter, read_adapter_config
from llmlora.weights.base import open_folder
from tiny_jobs import MakeJob

QUERY = "model.layers.0.self_attn.q_proj.weight"


def opened(job: Path) -> Adapter:
    return Adapter(job / "adapter", open_folder(job.parent / "base"))


def test_only_targeted_weights_change(make_job: MakeJob):
    adapter = opened(make_job("llama", {"target_modules": ["q_proj"], "layers_to_transform": [0]}))
    assert adapter.weight_names == {QUERY}
    other = np.ones((4, 4), np.float32)
    assert adapter.apply("model.layers.1.self_attn.q_proj.weight", other) is other


def test_the_change_is_b_times_a_times_scaling(make_job: MakeJob):
    job = make_job("llama", {"target_modules": ["q_proj"], "r": 4, "lora_alpha": 6})
    tensors = load_file(job / "adapter" / "adapter_model.safetensors")
    path = "base_model.model.model.layers.0.self_attn.q_proj"
    a, b = (tensors[f"{path}.lora_{side}.weight"] for side in "AB")
    zero = np.zeros((256, 256), np.float32)
    np.testing.assert_allclose(opened(job).apply(QUERY, zero), (b @ a * 1.5).numpy(), atol=1e-6)


@pytest.mark.parametrize(
    ("settings", "scaling"),
    [
        ({"lora_alpha": 6}, 1.5),
        ({"lora_alpha": 6, "use_rslora": True}, 3.0),
        ({"lora_alpha": 6, "alpha_pattern": {"q_proj": 2}}, 0.5),
        ({"lora_alpha": 6, "rank_pattern": {"q_proj": 2}}, 3.0),
    ],
)
def test_scaling_is_pefts(settings: dict, scaling: float, make_job: MakeJob):
    adapter = opened(make_job("llama", {"target_modules": ["q_proj"], "r": 4, **settings}))
    assert adapter.changes[QUERY].scaling == pytest.approx(scaling)


def test_ends_of_the_model_are_found_whatever_their_names(make_job: MakeJob, tmp_path: Path):
    adapter = opened(make_job("gpt2", {"target_modules": ["c_attn"]}))
    assert (adapter.embedding, adapter.output_head) == ("transformer.wte.weight", "lm_head.weight")
    assert all(change.is_transposed for change in adapter.changes.values())
    assert not adapter.unties


def test_not_a_number_is_refused_by_name(make_job: MakeJob):
    job = make_job("llama", {"target_modules": ["q_proj"]})
    path = job / "adapter" / "adapter_model.safetensors"
    tensors = load_file(path)
    name = next(name for name in tensors if "layers.0" in name and "lora_B" in name)
    tensors[name][0, 0] = torch.nan
    save_file(tensors, path)
    with pytest.raises(ModelFileError) as caught:
        opened(job).apply(QUERY, np.zeros((256, 256), np.float32))
    assert (caught.value.code, caught.value.params["name"]) == ("weights_diverged", name)
    assert "--set learning_rate=2e-05" in caught.value.params["words"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"peft_type": "NOTHING"}'])
def test_damaged_configurations_are_model_file_errors(content: str, make_job: MakeJob):
    job = make_job("llama", {"target_modules": ["q_proj"]})
    (job / "adapter" / "adapter_config.json").write_text(content, encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        read_adapter_config(job / "adapter")
    assert caught.value.code == "adapter_unreadable"


def test_damaged_weights_are_a_model_file_error(make_job: MakeJob):
    job = make_job("llama", {"target_modules": ["q_proj"]})
    path = job / "adapter" / "adapter_model.safetensors"
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(ModelFileError) as caught:
        opened(job)
    assert caught.value.code == "adapter_unreadable"


@pytest.mark.parametrize("init", ["pissa", "pissa_niter_4", "olora", "corda", "loftq"])
def test_initialisations_that_change_the_base_are_refused(init: str, make_job: MakeJob):
    job = make_job("llama", {"target_modules": ["q_proj"]})
    path = job / "adapter" / "adapter_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "init_lora_weights": init, "corda_config": {}}))
    with pytest.raises(ExportError) as caught:
        read_adapter_config(job / "adapter")
    assert init in caught.value.params["reason"]
