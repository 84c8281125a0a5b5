"""A GGUF adapter beside its base gives PEFT's answers; what it cannot hold is sent to merging."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import peft
import pytest
import torch
from safetensors.torch import load_file, save_file

from llama_child import LlamaChild
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.core.errors import ExportError, ModelFileError, UnsupportedArchitecture
from llmlora.gguf.lora import check_adapter, module_scaling, write_lora_gguf
from llmlora.gguf.reader import read_tensor
from reference_model import (
    EXACT,
    EXACT_WITH_GELU,
    config_of,
    end_ids,
    export,
    greedy_shortfall,
    load_reference,
    logprobs_of,
    random_contexts,
)
from tiny_models import tiny_model


def save_adapter(base: Path, folder: Path, **settings: Any) -> Any:
    """Save an adapter with random A and B and return PEFT's model with it."""
    options = {"r": 4, "lora_alpha": 6, "target_modules": "all-linear", "task_type": "CAUSAL_LM", **settings}
    torch.manual_seed(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # advice of PEFT on Conv1D and on patterns without a module
        model = peft.get_peft_model(load_reference(base), peft.LoraConfig(**options)).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                weight.copy_(torch.randn_like(weight) * 0.05)
    model.save_pretrained(folder, save_embedding_layers=False)
    return model


VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}),
    "llama, rsLoRA": ("llama", {"use_rslora": True}),
    "llama, patterns": (
        "llama",
        {"alpha_pattern": {"layers.1.self_attn.q_proj": 20}, "rank_pattern": {"down_proj": 3, "k_proj": 8}},
    ),
    "llama, rsLoRA and patterns": (
        "llama",
        {"use_rslora": True, "alpha_pattern": {"v_proj": 2}, "rank_pattern": {"o_proj": 9}},
    ),
    "llama, alpha 0": ("llama", {"lora_alpha": 0}),
    "llama, one layer": ("llama", {"target_modules": ["q_proj", "v_proj"], "layers_to_transform": [1]}),
    "qwen2": ("qwen2", {}),
    "qwen3": ("qwen3", {"use_rslora": True}),
    "mistral": ("mistral", {}),
    "phi3": ("phi3", {}),
    "gemma3": ("gemma3", {}),
    "gemma": ("gemma", {"rank_pattern": {"o_proj": 2}}),
    "gemma2": ("gemma2", {"use_rslora": True, "target_modules": ["k_proj", "up_proj"], "layers_to_transform": [0]}),
    "gpt2": ("gpt2", {"fan_in_fan_out": True}),
    "gpt2, rsLoRA and patterns": (
        "gpt2",
        {"fan_in_fan_out": True, "use_rslora": True, "rank_pattern": {"c_fc": 7}, "alpha_pattern": {"mlp.c_proj": 1}},
    ),
    "gpt_neox, rsLoRA": ("gpt_neox", {"use_rslora": True, "target_modules": ["query_key_value", "dense"]}),
    "gpt_neox": ("gpt_neox", {"alpha_pattern": {"query_key_value": 9}}),
}


@pytest.mark.parametrize("name", VARIANTS)
def test_adapter_answers_as_peft(name: str, tmp_path: Path, llama: LlamaChild) -> None:
    architecture, settings = VARIANTS[name]
    base = tiny_model(architecture, tmp_path / "base")
    model = save_adapter(base, tmp_path / "adapter", **settings)
    write_lora_gguf(tmp_path / "adapter", config_of(base), tmp_path / "adapter.gguf")
    contexts = random_contexts(config_of(base)["vocab_size"], (7, 40))
    expected = logprobs_of(model, contexts)
    with model.disable_adapter():
        change = np.abs(expected - logprobs_of(model, contexts)).max()
    assert change > 0.02 if settings.get("lora_alpha") != 0 else change == 0
    answer = llama.ask(
        export(base, tmp_path / "base.gguf"), lora=tmp_path / "adapter.gguf", contexts=contexts, num_greedy=16
    )
    limit = EXACT_WITH_GELU if architecture in ("gemma", "gemma2", "gemma3", "gpt2", "gpt_neox") else EXACT
    assert np.abs(answer.logprobs - expected).max() <= limit
    for context, chosen in zip(contexts, answer.greedy, strict=True):
        assert len(chosen) == 16
        assert greedy_shortfall(model, context, chosen, end_ids(base)) <= 2 * limit


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model("llama", tmp_path_factory.mktemp("lora") / "base", tie_word_embeddings=False)


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    save_adapter(base, tmp_path / "adapter", target_modules=["q_proj", "down_proj"])
    return tmp_path / "adapter"


def test_keys_and_tensors_of_the_file(base: Path, adapter: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_lora_gguf(adapter, config_of(base), path)
    header = read_gguf_header(path)
    assert header.metadata == {
        "general.type": "adapter",
        "general.architecture": "llama",
        "general.file_type": 0,
        "general.quantization_version": 2,
        "adapter.type": "lora",
        "adapter.lora.alpha": 6.0,
    }
    names = {tensor.name for tensor in header.tensors}
    assert names == {
        f"blk.{layer}.{part}.weight.lora_{side}"
        for layer in (0, 1)
        for part in ("attn_q", "ffn_down")
        for side in ("a", "b")
    }
    saved = load_file(adapter / "adapter_model.safetensors")
    prefix = "base_model.model.model.layers.0.mlp.down_proj"
    for side, letter in (("a", "A"), ("b", "B")):
        found = read_tensor(path, header, f"blk.0.ffn_down.weight.lora_{side}")
        np.testing.assert_array_equal(found, saved[f"{prefix}.lora_{letter}.weight"].numpy())


def test_only_rows_of_b_are_rearranged(base: Path, adapter: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.gguf"
    write_lora_gguf(adapter, config_of(base), path)
    header = read_gguf_header(path)
    saved = load_file(adapter / "adapter_model.safetensors")
    prefix = "base_model.model.model.layers.1.self_attn.q_proj"
    a, b = (saved[f"{prefix}.lora_{letter}.weight"].numpy() for letter in "AB")
    np.testing.assert_array_equal(read_tensor(path, header, "blk.1.attn_q.weight.lora_a"), a)
    found = read_tensor(path, header, "blk.1.attn_q.weight.lora_b")
    assert not np.array_equal(found, b)
    np.testing.assert_array_equal(np.sort(found, axis=0), np.sort(b, axis=0))


def test_an_untied_output_projection_may_have_an_adapter(base: Path, tmp_path: Path) -> None:
    save_adapter(base, tmp_path / "adapter", target_modules=["lm_head"])
    write_lora_gguf(tmp_path / "adapter", config_of(base), tmp_path / "a.gguf")
    names = [tensor.name for tensor in read_gguf_header(tmp_path / "a.gguf").tensors]
    assert names == ["output.weight.lora_a", "output.weight.lora_b"]
    with pytest.raises(ExportError, match="adapter_needs_merge"):
        tied = {**config_of(base), "tie_word_embeddings": True}
        write_lora_gguf(tmp_path / "adapter", tied, tmp_path / "b.gguf")
    assert not (tmp_path / "b.gguf").exists()


NEEDS_MERGE = (
    {"use_dora": True},
    {"modules_to_save": ["lm_head"]},
    {"trainable_token_indices": [1, 2]},
    {"bias": "all"},
    {"lora_bias": True},
    {"layer_replication": [[0, 1]]},
    {"target_parameters": ["mlp.experts"]},
    {"peft_type": "IA3"},
    {"init_lora_weights": "pissa"},
    {"init_lora_weights": "pissa_niter_16"},
    {"init_lora_weights": "olora"},
)


@pytest.mark.parametrize("settings", NEEDS_MERGE, ids=str)
def test_more_than_low_rank_changes_are_sent_to_merging(settings: dict[str, Any]) -> None:
    with pytest.raises(ExportError) as caught:
        check_adapter({"peft_type": "LORA", "bias": "none", **settings})
    assert caught.value.code == "adapter_needs_merge"
    assert next(iter(settings)) in caught.value.params["reason"]


def test_ordinary_settings_are_accepted() -> None:
    for init in (True, False, "gaussian", "eva", "orthogonal"):
        check_adapter({"peft_type": "LORA", "bias": "none", "init_lora_weights": init, "modules_to_save": None})


def edit_tensors(adapter: Path, edit: Any) -> None:
    path = adapter / "adapter_model.safetensors"
    tensors = load_file(path)
    edit(tensors)
    save_file(tensors, path)


def key(module: str, side: str) -> str:
    return f"base_model.model.model.layers.0.{module}.lora_{side}.weight"


def test_saved_embeddings_are_sent_to_merging(base: Path, adapter: Path, tmp_path: Path) -> None:
    extra = {"base_model.model.model.embed_tokens.weight": torch.zeros(2, 2)}
    edit_tensors(adapter, lambda tensors: tensors.update(extra))
    with pytest.raises(ExportError) as caught:
        write_lora_gguf(adapter, config_of(base), tmp_path / "a.gguf")
    assert caught.value.params["reason"] == "base_model.model.model.embed_tokens.weight"


BROKEN = {
    "no B": lambda tensors: tensors.pop(key("mlp.down_proj", "B")),
    "no A": lambda tensors: tensors.pop(key("mlp.down_proj", "A")),
    "ranks differ": lambda tensors: tensors.update({key("mlp.down_proj", "B"): torch.zeros(256, 5)}),
    "three dimensions": lambda tensors: tensors.update({key("mlp.down_proj", "A"): torch.zeros(4, 2, 256)}),
    "nothing": lambda tensors: tensors.clear(),
}


@pytest.mark.parametrize("name", BROKEN)
def test_damaged_adapters_are_told(name: str, base: Path, adapter: Path, tmp_path: Path) -> None:
    edit_tensors(adapter, BROKEN[name])
    with pytest.raises(ModelFileError, match="adapter_tensors_invalid"):
        write_lora_gguf(adapter, config_of(base), tmp_path / "a.gguf")


def test_infinite_adapter_weights_are_told(base: Path, adapter: Path, tmp_path: Path) -> None:
    broken = torch.full((256, 4), torch.inf)
    edit_tensors(adapter, lambda tensors: tensors.update({key("mlp.down_proj", "B"): broken}))
    with pytest.raises(ModelFileError, match="weights_not_finite"):
        write_lora_gguf(adapter, config_of(base), tmp_path / "a.gguf")


def test_an_unknown_module_or_base_stops(base: Path, adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(UnsupportedArchitecture):
        write_lora_gguf(adapter, {**config_of(base), "model_type": "mamba"}, tmp_path / "a.gguf")
    strange = {key("mlp.extra", "A"): torch.zeros(4, 8), key("mlp.extra", "B"): torch.zeros(8, 4)}
    edit_tensors(adapter, lambda tensors: tensors.update(strange))
    with pytest.raises(ExportError, match="unmapped_tensor"):
        write_lora_gguf(adapter, config_of(base), tmp_path / "a.gguf")


def test_a_missing_file_is_told(base: Path, adapter: Path, tmp_path: Path) -> None:
    (adapter / "adapter_model.safetensors").unlink()
    with pytest.raises(ModelFileError):
        write_lora_gguf(adapter, config_of(base), tmp_path / "a.gguf")


@pytest.mark.parametrize(
    ("settings", "module", "rank", "expected"),
    [
        ({"lora_alpha": 16}, "model.layers.0.mlp.up_proj", 8, 2.0),
        ({"lora_alpha": 16, "use_rslora": True}, "x.up_proj", 16, 4.0),
        ({"lora_alpha": 16, "alpha_pattern": {"up_proj": 4}}, "x.up_proj", 8, 0.5),
        ({"lora_alpha": 16, "alpha_pattern": {"up_proj": 4}}, "x.pre_up_proj", 8, 2.0),
        ({"lora_alpha": 16, "alpha_pattern": {r"layers\.[01]\..*": 4}}, "model.layers.1.q", 4, 1.0),
        ({}, "x.up_proj", 8, 1.0),
    ],
)
def test_scaling_of_a_module(settings: dict[str, Any], module: str, rank: int, expected: float) -> None:
    assert module_scaling(settings, module, rank) == pytest.approx(expected)


def test_adapter_config_must_be_json(base: Path, adapter: Path, tmp_path: Path) -> None:
    (adapter / "adapter_config.json").write_text(json.dumps([1]))
    with pytest.raises(ModelFileError, match="model_json_invalid"):
        write_lora_gguf(adapter, config_of(base), tmp_path / "a.gguf")
