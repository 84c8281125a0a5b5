"""GPT-2: learned positions, and matrices that transformers stores as (in, out)."""

from __future__ import annotations

from typing import Any

from llmlora.gguf.architecture import GELU, Architecture, refuse
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.model_shape import Config, ModelShape

_BLOCKS = {
    "attn_norm": "ln_1",
    "attn_qkv": "attn.c_attn",
    "attn_output": "attn.c_proj",
    "ffn_norm": "ln_2",
    "ffn_up": "mlp.c_fc",
    "ffn_down": "mlp.c_proj",
}
_CONFIG_NAMES = {
    "hidden_size": "n_embd",
    "num_hidden_layers": "n_layer",
    "num_attention_heads": "n_head",
    "intermediate_size": "n_inner",
    "max_position_embeddings": "n_positions",
    "rms_norm_eps": "layer_norm_epsilon",
}


def _check(config: Config, shape: ModelShape) -> None:
    refuse(
        config,
        scale_attn_weights=(True,),
        scale_attn_by_inverse_layer_idx=(False,),
        add_cross_attention=(False,),
    )


def _settings(keys: FileKeys, config: Config) -> dict[str, Any]:
    return {"activation_function": "gelu_new"}


ENTRIES = (
    Architecture(
        "gpt2",
        "gpt2",
        root="transformer",
        layers="h",
        blocks=_BLOCKS,
        outer={"token_embd": "wte", "position_embd": "wpe", "output_norm": "ln_f"},
        biases=tuple(_BLOCKS),
        activations=GELU,
        epsilon_key="layer_norm_epsilon",
        has_rope=False,
        ties_by_default=True,
        check=_check,
        transposed=(".c_attn.weight", ".c_proj.weight", ".c_fc.weight"),
        file_settings=_settings,
        config_names=_CONFIG_NAMES,
    ),
)
