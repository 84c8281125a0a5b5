"""Gemma 1 to 3: norms stored without the 1 that llama.cpp wants in them, soft caps, windows, two rotary bases."""

from __future__ import annotations

from typing import Any

from llmlora.gguf.architecture import GELU, LLAMA_BLOCKS, Architecture, Keys, refuse
from llmlora.gguf.families.windows import GLOBAL, LOCAL, check_windows, window_keys, window_settings
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.model_shape import Config, ModelShape, rope_parameters, setting, unsupported
from llmlora.gguf.rope import DEFAULT_THETA, rope_theta, rope_type

GEMMA2_LARGEST, GEMMA3_LARGEST = 46, 62  # layers
GEMMA2_PERIOD, GEMMA3_PERIOD = 2, 6
_TANH = "gelu_pytorch_tanh"
_BLOCKS2 = {
    **LLAMA_BLOCKS,
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}
_BLOCKS3 = {**_BLOCKS2, "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}


def _check_gemma(config: Config, shape: ModelShape) -> None:
    refuse(config, attention_bias=(False,), use_bidirectional_attention=(False,))


def _check_gemma2(config: Config, shape: ModelShape) -> None:
    _check_gemma(config, shape)
    check_windows(config, shape)
    _check_attention_scale(config, shape, GEMMA2_LARGEST)
    for name in ("attn_logit_softcapping", "final_logit_softcapping"):
        if config.get(name, 1.0) is None:  # llama.cpp would put its own default in
            raise unsupported(name, None)


def _check_gemma3(config: Config, shape: ModelShape) -> None:
    _check_gemma(config, shape)
    check_windows(config, shape)
    _check_attention_scale(config, shape, GEMMA3_LARGEST)
    refuse(config, attn_logit_softcapping=(), final_logit_softcapping=())
    local = rope_parameters(config, LOCAL)
    if rope_type(local) != "default":
        raise unsupported("rope_parameters.sliding_attention", rope_type(local))


def _check_attention_scale(config: Config, shape: ModelShape, layers_of_largest: int) -> None:
    """llama.cpp fixes the scale by the number of layers and reads no key for it."""
    expected = _attention_scale(shape.num_layers, shape.hidden_size, shape.num_heads, shape.head_dim, layers_of_largest)
    scale = setting(config, "query_pre_attn_scalar", default=256)
    if scale != expected:
        raise unsupported("query_pre_attn_scalar", f"{scale} (GGUF: {expected:g})")


def _attention_scale(num_layers: int, hidden_size: int, num_heads: int, head_dim: int, largest: int) -> float:
    return hidden_size / num_heads if num_layers == largest else head_dim


def _gemma2_keys(config: Config, shape: ModelShape) -> Keys:
    return {
        "attn_logit_softcapping": float(setting(config, "attn_logit_softcapping", default=50.0)),
        "final_logit_softcapping": float(setting(config, "final_logit_softcapping", default=30.0)),
        **window_keys(config, shape, GEMMA2_PERIOD),
    }


def _gemma3_keys(config: Config, shape: ModelShape) -> Keys:
    local = rope_theta(rope_parameters(config, LOCAL))
    return {"rope.freq_base_swa": local, **window_keys(config, shape, GEMMA3_PERIOD)}


def _gemma_settings(keys: FileKeys, config: Config) -> dict[str, Any]:
    return {"hidden_act": _TANH, "head_dim": _head_dim(config)}


def _gemma2_settings(keys: FileKeys, config: Config) -> dict[str, Any]:
    return {
        **_windowed_settings(keys, config, GEMMA2_LARGEST, GEMMA2_PERIOD),
        "attn_logit_softcapping": keys.number("attn_logit_softcapping", 50.0),
        "final_logit_softcapping": keys.number("final_logit_softcapping", 30.0),
    }


def _gemma3_settings(keys: FileKeys, config: Config) -> dict[str, Any]:
    local = {"rope_type": "default", "rope_theta": keys.number("rope.freq_base_swa", DEFAULT_THETA)}
    return {
        **_windowed_settings(keys, config, GEMMA3_LARGEST, GEMMA3_PERIOD),
        "rope_parameters": {GLOBAL: config["rope_parameters"], LOCAL: local},
    }


def _windowed_settings(keys: FileKeys, config: Config, largest: int, period: int) -> dict[str, Any]:
    head_dim, num_layers = _head_dim(config), config["num_hidden_layers"]
    sizes = (num_layers, config["hidden_size"], config["num_attention_heads"], head_dim)
    return {
        "hidden_activation": _TANH,
        "head_dim": head_dim,
        "query_pre_attn_scalar": _attention_scale(*sizes, largest),
        **window_settings(keys, num_layers, period),
    }


def _head_dim(config: Config) -> int:
    """Return the size of a head; the configuration classes have one of their own where a config is silent."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


ENTRIES = (
    Architecture(
        "gemma",
        "gemma",
        activations=GELU,
        ties_by_default=True,
        can_untie=False,
        check=_check_gemma,
        norm_offset=1.0,
        file_settings=_gemma_settings,
    ),
    Architecture(
        "gemma2",
        "gemma2",
        blocks=_BLOCKS2,
        activations=(_TANH,),
        ties_by_default=True,
        can_untie=False,
        extra_keys=_gemma2_keys,
        check=_check_gemma2,
        norm_offset=1.0,
        file_settings=_gemma2_settings,
    ),
    Architecture(
        "gemma3_text",
        "gemma3",
        blocks=_BLOCKS3,
        activations=(_TANH,),
        ties_by_default=True,
        extra_keys=_gemma3_keys,
        check=_check_gemma3,
        norm_offset=1.0,
        file_settings=_gemma3_settings,
    ),
)
