"""Phi-3: fused projections, and two sets of rotary factors chosen by the length of the context."""

from __future__ import annotations

from typing import Any

from llmlora.gguf.architecture import Architecture, Keys
from llmlora.gguf.families.windows import own_window
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.model_shape import Config, ModelShape, rope_parameters, setting
from llmlora.gguf.rope import longrope_keys, longrope_original

_BLOCKS = {
    "attn_norm": "input_layernorm",
    "attn_qkv": "self_attn.qkv_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_up": "mlp.gate_up_proj",
    "ffn_down": "mlp.down_proj",
}


def _keys(config: Config, shape: ModelShape) -> Keys:
    parameters = rope_parameters(config)
    original = longrope_original(config, parameters, shape)
    keys = {f"rope.{name}": value for name, value in longrope_keys(parameters, shape, original).items()}
    return {**keys, "attention.sliding_window": int(setting(config, "sliding_window", default=0))}


def _settings(keys: FileKeys, config: Config) -> dict[str, Any]:
    context_length = config["max_position_embeddings"]
    return {
        "original_max_position_embeddings": keys.integer("rope.scaling.original_context_length", context_length),
        "sliding_window": keys.integer("attention.sliding_window", 0) or None,
    }


ENTRIES = (
    Architecture(
        "phi3",
        "phi3",
        blocks=_BLOCKS,
        rope_types=("default", "longrope"),
        ignored_window=own_window,
        extra_keys=_keys,
        file_settings=_settings,
    ),
)
