"""The table of architectures: what is exported, what is refused beforehand, how tensors are rearranged."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
import transformers

from llmlora.core.errors import ExportError, UnsupportedArchitecture
from llmlora.gguf.architectures import ARCHITECTURES, architecture_of, check_exportable
from tiny_models import ARCHITECTURES as TINY


@cache
def saved_config(name: str) -> dict[str, Any]:
    """Return the `config.json` that transformers writes for a tiny model."""
    config_class, _, _, settings = TINY[name]
    config: dict[str, Any] = getattr(transformers, config_class)(vocab_size=64, **settings).to_dict()
    return config


@pytest.mark.parametrize("name", TINY)
def test_todays_configs_are_exportable(name: str) -> None:
    check_exportable(saved_config(name))


@pytest.mark.parametrize("model_type", ["mamba", "mixtral", "gemma3", "", "t5"])
def test_other_architectures_are_told_with_the_known_ones(model_type: str) -> None:
    with pytest.raises(UnsupportedArchitecture) as caught:
        architecture_of({"model_type": model_type})
    for known in ARCHITECTURES:
        assert known in caught.value.params["supported"]


# llama.cpp refuses to load a file of theirs with factors of Llama 3's kind.
NO_LLAMA3 = ("qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "gpt_neox")
REFUSED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("llama", {"hidden_act": "gelu"}, "hidden_act"),
    ("llama", {"quantization_config": {"quant_method": "gptq"}}, "quantization_config"),
    ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 2.0}}, "rope_type"),
    ("llama", {"rope_parameters": {"rope_type": "longrope"}}, "rope_type"),
    *((name, {"rope_parameters": {"rope_type": "llama3", "factor": 8.0}}, "rope_type") for name in NO_LLAMA3),
    ("phi3", {"rope_parameters": {"rope_type": "yarn", "factor": 8.0}}, "rope_type"),
    ("qwen2", {"attention_bias": False}, "attention_bias"),
    ("qwen3", {"attention_bias": True}, "attention_bias"),
    ("gemma", {"tie_word_embeddings": False}, "tie_word_embeddings"),
    ("gemma", {"attention_bias": True}, "attention_bias"),
    ("gemma2", {"tie_word_embeddings": False}, "tie_word_embeddings"),
    ("gemma2", {"query_pre_attn_scalar": 144}, "query_pre_attn_scalar"),
    ("gemma2", {"attn_logit_softcapping": None}, "attn_logit_softcapping"),
    ("gemma2", {"final_logit_softcapping": None}, "final_logit_softcapping"),
    ("gemma2", {"layer_types": ["full_attention"] * 2}, "layer_types"),
    ("gemma2", {"layer_types": ["sliding_attention"]}, "layer_types"),
    ("gemma3", {"query_pre_attn_scalar": 168}, "query_pre_attn_scalar"),
    ("gemma3", {"final_logit_softcapping": 30.0}, "final_logit_softcapping"),
    ("gemma3", {"use_bidirectional_attention": True}, "use_bidirectional_attention"),
    ("gemma3", {"layer_types": ["full_attention"] * 3}, "layer_types"),
    ("gpt2", {"scale_attn_weights": False}, "scale_attn_weights"),
    ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scale_attn_by_inverse_layer_idx"),
    ("gpt2", {"activation_function": "relu"}, "hidden_act"),
    ("gpt_neox", {"attention_bias": False}, "attention_bias"),
    ("gpt_neox", {"hidden_act": "silu"}, "hidden_act"),
)


@pytest.mark.parametrize(("name", "changes", "expected"), REFUSED)
def test_settings_that_llamacpp_runs_differently_are_refused(name: str, changes: dict[str, Any], expected: str) -> None:
    with pytest.raises(ExportError) as caught:
        check_exportable({**saved_config(name), **changes})
    assert (caught.value.code, caught.value.params["setting"]) == ("unsupported_model_setting", expected)


def test_gemmas_local_layers_take_plain_rope_only() -> None:
    nested = {
        "full_attention": {"rope_type": "default", "rope_theta": 1e6},
        "sliding_attention": {"rope_type": "linear", "rope_theta": 1e4, "factor": 2.0},
    }
    with pytest.raises(ExportError, match="sliding_attention"):
        check_exportable({**saved_config("gemma3"), "rope_parameters": nested})


@pytest.mark.parametrize(("name", "layers"), [("gemma2", 46), ("gemma3_text", 62)])
def test_the_largest_gemmas_have_another_attention_scale(name: str, layers: int) -> None:
    config = {
        **saved_config(name.removesuffix("_text")),
        "num_hidden_layers": layers,
        "layer_types": ["sliding_attention"] * layers,
        "head_dim": 128,
        "hidden_size": 256,
        "num_attention_heads": 4,
    }
    check_exportable({**config, "query_pre_attn_scalar": 64})
    with pytest.raises(ExportError, match="query_pre_attn_scalar"):
        check_exportable({**config, "query_pre_attn_scalar": 128})


@pytest.mark.parametrize(("name", "period"), [("gemma2", 2), ("gemma3", 6)])
def test_layers_with_a_window_are_named_one_by_one(name: str, period: int) -> None:
    config = {**saved_config(name), "num_hidden_layers": 12, "layer_types": None}
    config.pop("_sliding_window_pattern", None)
    architecture = architecture_of(config)
    prefix = architecture.gguf_name
    pattern = architecture.keys(config)[f"{prefix}.attention.sliding_window_pattern"]
    assert pattern == [bool((layer + 1) % period) for layer in range(12)]
    config["layer_types"] = ["full_attention", "sliding_attention"] * 6
    assert architecture.keys(config)[f"{prefix}.attention.sliding_window_pattern"] == [False, True] * 6
    assert architecture.keys(config)[f"{prefix}.attention.sliding_window"] == 16


LONGROPE = {"rope_type": "longrope", "rope_theta": 1e4, "original_max_position_embeddings": 128}
CONTEXTS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("mistral", {"sliding_window": 100}, 100),
    ("mistral", {"sliding_window": None}, 512),
    ("mistral", {"sliding_window": 4096}, 512),
    ("qwen2", {"use_sliding_window": False, "sliding_window": 64}, 512),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 64, "layer_types": None, "max_window_layers": 1}, 64),
    ("qwen2", {"use_sliding_window": True, "sliding_window": 64, "layer_types": None, "max_window_layers": 2}, 512),
    ("qwen3", {"use_sliding_window": True, "sliding_window": 64, "layer_types": ["sliding_attention"] * 2}, 64),
    ("qwen3", {"use_sliding_window": True, "sliding_window": 64, "layer_types": ["full_attention"] * 2}, 512),
    ("phi3", {"sliding_window": 200}, 200),
    ("phi3", {"rope_parameters": LONGROPE}, 128),
    ("phi3", {"rope_parameters": LONGROPE, "sliding_window": 90}, 90),
    ("gemma2", {"sliding_window": 16}, 512),
    ("llama", {"sliding_window": 16}, 512),
)


@pytest.mark.parametrize(("name", "changes", "expected"), CONTEXTS)
def test_a_file_names_no_more_context_than_is_answered_alike(name: str, changes: dict[str, Any], expected: int) -> None:
    """llama.cpp knows Gemma's windows and nobody else's, and chooses longrope's factors by the context's size."""
    config = {**saved_config(name), **changes}
    architecture = architecture_of(config)
    assert architecture.keys(config)[f"{architecture.gguf_name}.context_length"] == expected


def test_the_files_of_older_versions_keep_their_original_length_outside() -> None:
    scaling = {"type": "longrope", "short_factor": [1.0], "long_factor": [1.0]}
    config = {**saved_config("phi3"), "rope_parameters": None, "rope_theta": 1e4, "rope_scaling": scaling}
    config["original_max_position_embeddings"] = 256
    keys = architecture_of(config).keys(config)
    assert (keys["phi3.context_length"], keys["phi3.rope.scaling.original_context_length"]) == (256, 256)


def test_mistrals_window_is_there_even_where_the_config_is_silent() -> None:
    config = {**saved_config("mistral"), "max_position_embeddings": 32_768}
    config.pop("sliding_window")
    assert architecture_of(config).context_length(config) == transformers.MistralConfig().sliding_window == 4096


def test_keys_of_special_kinds() -> None:
    gemma3 = architecture_of(saved_config("gemma3")).keys(saved_config("gemma3"))
    assert (gemma3["gemma3.rope.freq_base"], gemma3["gemma3.rope.freq_base_swa"]) == (1e6, 1e4)
    assert gemma3["gemma3.attention.key_length"] == 64
    gpt2 = architecture_of(saved_config("gpt2")).keys(saved_config("gpt2"))
    assert not any(".rope." in name for name in gpt2)
    assert gpt2["gpt2.context_length"] == 512
    neox = architecture_of(saved_config("gpt_neox")).keys(saved_config("gpt_neox"))
    assert neox["gptneox.use_parallel_residual"] is True
    assert neox["gptneox.rope.dimension_count"] == 32
    phi3 = architecture_of(saved_config("phi3")).keys(saved_config("phi3"))
    assert phi3["phi3.attention.sliding_window"] == 0
    assert phi3["phi3.rope.scaling.original_context_length"] == 512


def test_llamas_heads_are_interleaved() -> None:
    config = {**saved_config("llama"), "hidden_size": 8, "num_attention_heads": 2, "num_key_value_heads": 1}
    architecture = architecture_of(config)
    shape = architecture.shape(config)
    rows = np.arange(8, dtype=np.float32)
    query = architecture.convert("model.layers.0.self_attn.q_proj.bias", rows, shape)
    np.testing.assert_array_equal(query, [0, 2, 1, 3, 4, 6, 5, 7])
    key = architecture.convert("model.layers.0.self_attn.k_proj.weight", rows[:4, None], shape)
    np.testing.assert_array_equal(key[:, 0], [0, 2, 1, 3])
    value = architecture.convert("model.layers.0.self_attn.v_proj.weight", rows[:4, None], shape)
    np.testing.assert_array_equal(value[:, 0], [0, 1, 2, 3])


def test_neoxs_fused_projection_is_regrouped() -> None:
    config = {**saved_config("gpt_neox"), "hidden_size": 4, "num_attention_heads": 2}
    architecture = architecture_of(config)
    rows = np.arange(12, dtype=np.float32)
    name = "gpt_neox.layers.0.attention.query_key_value.bias"
    regrouped = architecture.convert(name, rows, architecture.shape(config))
    np.testing.assert_array_equal(regrouped, [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11])


def test_gpt2s_matrices_are_turned_and_gemmas_norms_raised() -> None:
    gpt2, gemma = ARCHITECTURES["gpt2"], ARCHITECTURES["gemma2"]
    matrix = np.arange(6, dtype=np.float32).reshape(2, 3)
    shape = gpt2.shape(saved_config("gpt2"))
    np.testing.assert_array_equal(gpt2.convert("transformer.h.0.mlp.c_fc.weight", matrix, shape), matrix.T)
    np.testing.assert_array_equal(gpt2.convert("transformer.wte.weight", matrix, shape), matrix)
    assert gpt2.is_transposed("transformer.h.0.attn.c_attn.weight")
    assert not gpt2.is_transposed("transformer.h.0.attn.c_attn.bias")
    shape = gemma.shape(saved_config("gemma2"))
    norm = np.array([-1.0, 0.5], dtype=np.float32)
    for name in ("model.norm.weight", "model.layers.0.post_feedforward_layernorm.weight"):
        np.testing.assert_array_equal(gemma.convert(name, norm, shape), [0.0, 1.5])
    np.testing.assert_array_equal(gemma.convert("model.layers.0.mlp.up_proj.weight", norm, shape), norm)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("llama", "model.layers.0.self_attn.rotary_emb.inv_freq"),
        ("gpt2", "transformer.h.0.attn.bias"),
        ("gpt2", "h.0.attn.masked_bias"),
        ("gpt_neox", "gpt_neox.layers.1.attention.bias"),
        ("gpt_neox", "gpt_neox.layers.1.attention.masked_bias"),
        ("gpt_neox", "gpt_neox.layers.1.attention.rotary_emb.inv_freq"),
    ],
)
def test_buffers_are_not_weights(name: str, tensor: str) -> None:
    config = saved_config(name)
    assert architecture_of(config).tensor_namer(config)(tensor) is None


@pytest.mark.parametrize(
    ("name", "tensor", "expected"),
    [
        ("llama", "model.layers.1.self_attn.q_proj.weight", "blk.1.attn_q.weight"),
        ("llama", "layers.1.self_attn.q_proj.weight", "blk.1.attn_q.weight"),
        ("llama", "lm_head.weight", "output.weight"),
        ("qwen2", "model.layers.0.self_attn.q_proj.bias", "blk.0.attn_q.bias"),
        ("gpt2", "h.0.attn.c_attn.bias", "blk.0.attn_qkv.bias"),
        ("gpt2", "transformer.wpe.weight", "position_embd.weight"),
        ("gpt_neox", "embed_out.weight", "output.weight"),
        ("gpt_neox", "lm_head.weight", "output.weight"),
        ("gpt_neox", "gpt_neox.layers.0.attention.dense.bias", "blk.0.attn_output.bias"),
        ("gemma2", "model.layers.0.pre_feedforward_layernorm.weight", "blk.0.ffn_norm.weight"),
    ],
)
def test_tensor_names(name: str, tensor: str, expected: str) -> None:
    config = saved_config(name)
    assert architecture_of(config).tensor_namer(config)(tensor) == expected


def test_a_tensor_without_a_place_stops_the_export() -> None:
    config = saved_config("llama")
    with pytest.raises(ExportError) as caught:
        architecture_of(config).tensor_namer(config)("model.layers.0.self_attn.extra.weight")
    assert (caught.value.code, caught.value.params["name"]) == (
        "unmapped_tensor",
        "model.layers.0.self_attn.extra.weight",
    )
