"""A model's architecture in miniature: the same kinds of layers, flags and multipliers, random float32 weights.

What a layout does to the loss shows on it exactly, in a fraction of a second, whatever the size of the real model.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import torch
from accelerate import init_empty_weights
from transformers import AutoModelForCausalLM, PreTrainedConfig, PreTrainedModel

from llmlora.core.memory import is_memory_error

MAX_LAYERS = 4
WINDOW = 8  # shorter than the rows of the test, so that a layout which forgets the window is found out
PLAIN_PARAMETERS = 20_000_000  # a model whose widths cannot be made smaller is cut in depth only, up to this size
_DEPTHS = frozenset(
    {"num_hidden_layers", "num_layers", "n_layer", "n_layers", "decoder_layers", "encoder_layers", "num_decoder_layers"}
)
_WINDOWS = frozenset(
    {"sliding_window", "sliding_window_size", "window_size", "attention_chunk_size", "attention_window_size"}
    | {"local_attention", "attn_window_size"}
)
_HEADS = ("num_attention_heads", "n_head", "n_heads", "num_heads", "decoder_attention_heads")
_KEY_VALUE_HEADS = ("num_key_value_heads", "swa_num_key_value_heads", "num_kv_heads", "n_head_kv", "num_query_groups")
_NUM_HEADS = 4
_WIDTHS: dict[int, tuple[str, ...]] = {
    64: (
        *("hidden_size", "d_model", "n_embd", "dim", "dim_model", "embed_dim", "word_embed_proj_dim", "embedding_size"),
        *("lru_width", "attention_hidden_size", "emb_dim", "embedding_dim"),
    ),
    128: (
        *("intermediate_size", "ffn_dim", "n_inner", "dff", "dim_ff", "decoder_ffn_dim", "encoder_ffn_dim", "d_inner"),
        *("ffn_hidden_size", "d_ff", "intermediate_size_mlp", "dense_intermediate_size", "mamba_d_ssm"),
        *("block_ff_dim", "swiglu_hidden_dim"),
    ),
    32: (
        *("moe_intermediate_size", "shared_expert_intermediate_size", "expert_ffn_hidden_size", "q_lora_rank"),
        *("moe_shared_expert_intermediate_size", "shared_intermediate_size", "expert_intermediate_size"),
        *("kv_lora_rank", "hidden_size_per_layer_input", "hc_lowrank"),
    ),
    _NUM_HEADS: (*_HEADS, "encoder_attention_heads", "linear_num_value_heads", "linear_num_heads"),
    16: (
        *("head_dim", "attention_head_size", "attention_head_dim", "swa_head_dim", "global_head_dim", "v_head_dim"),
        *("swa_v_head_dim", "d_head", "d_kv", "qk_nope_head_dim", "linear_key_head_dim", "linear_value_head_dim"),
        *("mamba_d_head", "mamba_head_dim", "mamba_headdim", "mamba_d_state", "ssm_state_size", "state_size"),
    ),
    8: ("qk_rope_head_dim", "rotary_dim", "mamba_n_heads", "mamba_num_heads", "n_mamba_heads", "mamba_dt_rank"),
    24: ("qk_head_dim",),
    2: ("linear_num_key_heads",),
    1: ("mamba_n_groups", "mamba_ngroups", "n_groups", "n_group", "topk_group"),
    512: ("vocab_size", "vocab_size_per_layer_input", "max_position_embeddings", "n_positions", "n_ctx"),
}
_SMALL = {name: size for size, names in _WIDTHS.items() for name in names}
# Numbers that must stay below those above
_AT_MOST = {
    **dict.fromkeys(("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts", "zero_expert_num"), 4),
    **dict.fromkeys(
        ("num_experts_per_tok", "num_experts_per_token", "moe_k", "moe_topk", "moe_top_k", "top_k_experts"), 2
    ),
    "first_k_dense_replace": 1,
    "num_dense_layers": 1,
    "num_kv_shared_layers": 0,
}


class ModelCodeError(Exception):
    """What the code of a model raised, as one line."""


@contextmanager
def model_code() -> Iterator[None]:
    """Turn whatever a model's code raises inside the block into ModelCodeError; out of memory stays what it is."""
    try:
        yield
    except Exception as error:
        if is_memory_error(error):
            raise
        raise ModelCodeError(" ".join(f"{type(error).__name__}: {error}".split())[:300]) from error


def small_model(config: PreTrainedConfig) -> PreTrainedModel | None:
    """Return the miniature of a configuration, ready to compute; None for one that nobody knows how to cut.

    Widths and depth shrink; where that makes no model, depth alone. The generator of the process is left as it is.
    """
    for shrink_widths in (True, False):
        model = _built(config, shrink_widths)
        if model is not None:
            return model
    return None


def _built(config: PreTrainedConfig, shrink_widths: bool) -> PreTrainedModel | None:
    fields = _small_fields(deepcopy(config.to_dict()), shrink_widths)
    fields.pop("model_type", None)
    try:
        with model_code():
            return _computing(type(config)(**fields))
    except ModelCodeError:
        return None


def _computing(config: PreTrainedConfig) -> PreTrainedModel | None:
    """Return the model of a configuration with lively weights; None for one that is too large or computes nothing."""
    with init_empty_weights():
        size = AutoModelForCausalLM.from_config(config, dtype=torch.float32).num_parameters()
    if size > PLAIN_PARAMETERS:
        return None
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model: PreTrainedModel = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        _liven(model)
    logits = model.eval()(input_ids=torch.arange(8, 16)[None], use_cache=False).logits
    return model if bool(torch.isfinite(logits).all()) else None


def _liven(model: PreTrainedModel) -> None:
    """Move every weight: sinks, biases and gates that begin at zero or one would else hide what they do."""
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn_like(weight) * (0.1 if weight.dim() == 1 else weight.shape[-1] ** -0.5))


def _small_fields(fields: dict[str, Any], shrink_widths: bool) -> dict[str, Any]:
    if shrink_widths:
        _fit_layers_of_their_own(fields)
        _fit_heads(fields)
    for name, value in fields.items():
        if isinstance(value, dict) and name.endswith("_config") and name != "per_layer_config":
            fields[name] = _small_fields(value, shrink_widths)
        elif name in _WINDOWS and _is_number(value):
            fields[name] = min(value, WINDOW)
        elif shrink_widths and not (name == "head_dim" and "qk_rope_head_dim" in fields):
            fields[name] = _small_value(name, value)
    if shrink_widths and {"expand", "num_heads", "head_dim"} <= fields.keys():  # mamba2: its heads fill its width
        fields["num_heads"] = fields["expand"] * fields["hidden_size"] // fields["head_dim"]
    _cut_layers(fields)
    return fields


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _small_value(name: str, value: Any) -> Any:
    if not _is_number(value):
        return value
    if name.endswith("token_id"):
        return min(value, 3)
    return min(value, _AT_MOST[name]) if name in _AT_MOST else _SMALL.get(name, value)


def _fit_heads(fields: dict[str, Any]) -> None:
    """Keep how heads share keys and values, and give a missing head size its usual value."""
    heads = next((fields[name] for name in _HEADS if _is_number(fields.get(name))), None)
    for name in _KEY_VALUE_HEADS:
        if name in fields:
            is_shared = _is_number(fields[name]) and heads is not None and fields[name] < heads
            fields[name] = min(fields[name], _NUM_HEADS // 2) if is_shared else _NUM_HEADS
    if fields.get("head_dim", 0) is None:
        fields["head_dim"] = _SMALL["head_dim"]
    if "qk_rope_head_dim" in fields and fields.get("head_dim") == fields["qk_rope_head_dim"]:
        fields["head_dim"] = _SMALL["qk_rope_head_dim"]  # latent attention: what the rotation works on


def _fit_layers_of_their_own(fields: dict[str, Any]) -> None:
    """Shrink what single layers have in place of the model's width, by the same ratio."""
    for own in (fields.get("per_layer_config") or {}).values():
        for name in own.keys() & _SMALL.keys():
            if _is_number(fields.get(name)) and _is_number(own[name]):
                own[name] = _SMALL[name] * own[name] // fields[name]


def _cut_layers(fields: dict[str, Any]) -> None:
    """Keep one layer of each kind, at most `MAX_LAYERS`; a list with an entry per layer keeps theirs."""
    depth = next((fields[name] for name in _DEPTHS if _is_number(fields.get(name))), None)
    if depth is None:
        return
    lists = {name: value for name, value in fields.items() if isinstance(value, list) and len(value) == depth}
    overrides = {int(layer): own for layer, own in (fields.pop("per_layer_config", None) or {}).items()}
    kinds: dict[str, int] = {}
    for layer in range(depth):
        own = [value[layer] for value in lists.values() if not isinstance(value[layer], float)]
        kinds.setdefault(json.dumps([own, overrides.get(layer)], default=str), layer)
    kept = sorted(kinds.values())[:MAX_LAYERS]
    if len(kept) == 1:
        kept = list(range(min(depth, 2)))
    for name, value in lists.items():
        fields[name] = [value[layer] for layer in kept]
    if overrides:
        fields["per_layer_config"] = {new: overrides[old] for new, old in enumerate(kept) if old in overrides}
    for name in _DEPTHS & fields.keys():
        if _is_number(fields[name]):
            fields[name] = len(kept)
