"""One reading of every generation of `config.json`."""

from __future__ import annotations

from typing import Any

import pytest

from llmlora.core.errors import ModelFileError
from llmlora.gguf.model_shape import read_model_shape, rope_parameters, setting

LLAMA: dict[str, Any] = {
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 96,
    "max_position_embeddings": 128,
    "vocab_size": 50,
    "rms_norm_eps": 1e-6,
}


def test_todays_names() -> None:
    shape = read_model_shape(LLAMA, ties_by_default=False)
    assert (shape.hidden_size, shape.num_layers, shape.num_heads, shape.num_kv_heads) == (64, 3, 4, 2)
    assert (shape.intermediate_size, shape.context_length, shape.vocab_size) == (96, 128, 50)
    assert (shape.head_dim, shape.has_head_dim, shape.rope_dimensions) == (16, False, 16)
    assert (shape.norm_epsilon, shape.is_tied) == (1e-6, False)


def test_gpt2s_names_and_defaults() -> None:
    config = {"n_embd": 64, "n_layer": 2, "n_head": 4, "n_positions": 32, "n_inner": None, "vocab_size": 9}
    shape = read_model_shape({**config, "layer_norm_epsilon": 1e-4}, ties_by_default=True)
    assert (shape.intermediate_size, shape.num_kv_heads, shape.context_length) == (256, 4, 32)
    assert (shape.norm_epsilon, shape.is_tied) == (1e-4, True)


def test_a_stated_head_size_counts() -> None:
    shape = read_model_shape({**LLAMA, "head_dim": 32}, ties_by_default=False)
    assert (shape.head_dim, shape.has_head_dim) == (32, True)
    assert not read_model_shape({**LLAMA, "head_dim": None}, ties_by_default=False).has_head_dim


@pytest.mark.parametrize(
    "addition",
    [
        {"partial_rotary_factor": 0.25},
        {"rotary_pct": 0.25},
        {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.25}},
    ],
)
def test_partial_rotation_has_three_homes(addition: dict[str, Any]) -> None:
    assert read_model_shape({**LLAMA, **addition}, ties_by_default=False).rope_dimensions == 4


def test_tying_is_the_configs_word() -> None:
    assert read_model_shape({**LLAMA, "tie_word_embeddings": True}, ties_by_default=False).is_tied
    assert not read_model_shape({**LLAMA, "tie_word_embeddings": False}, ties_by_default=True).is_tied


def test_a_missing_size_is_named() -> None:
    config = {name: value for name, value in LLAMA.items() if name != "vocab_size"}
    with pytest.raises(ModelFileError) as caught:
        read_model_shape(config, ties_by_default=False)
    assert (caught.value.code, caught.value.params["setting"]) == ("config_incomplete", "vocab_size")


def test_setting_takes_the_first_that_is_not_null() -> None:
    assert setting({"a": None, "b": 0}, "a", "b") == 0
    assert setting({}, "a", default=7) == 7


NEW = {"rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, "factor": 8.0}}
OLD = {"rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}
OLDEST = {"rope_theta": 5e5, "rope_scaling": {"type": "llama3", "factor": 8.0}}


@pytest.mark.parametrize("config", [NEW, OLD, OLDEST])
def test_rope_in_all_schemas(config: dict[str, Any]) -> None:
    found = rope_parameters(config)
    assert (found["rope_type"], found["rope_theta"], found["factor"]) == ("llama3", 5e5, 8.0)


def test_rope_without_scaling() -> None:
    assert rope_parameters({"rope_theta": 1e6, "rope_scaling": None}) == {"rope_theta": 1e6}
    assert rope_parameters({"rotary_emb_base": 2e4})["rope_theta"] == 2e4
    assert rope_parameters({})["rope_theta"] is None


def test_rope_of_two_kinds_of_layers() -> None:
    nested = {"full_attention": {"rope_theta": 1e6}, "sliding_attention": {"rope_theta": 1e4}}
    assert rope_parameters({"rope_parameters": nested})["rope_theta"] == 1e6
    assert rope_parameters({"rope_parameters": nested}, "sliding_attention")["rope_theta"] == 1e4
    older = {"rope_theta": 1e6, "rope_local_base_freq": 1e4, "rope_scaling": {"rope_type": "linear", "factor": 8.0}}
    assert rope_parameters(older)["factor"] == 8.0
    assert rope_parameters(older, "sliding_attention") == {"rope_theta": 1e4}
