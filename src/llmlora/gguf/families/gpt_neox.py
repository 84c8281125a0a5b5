"""GPT-NeoX: a fused projection grouped by head in transformers, by kind in llama.cpp."""

from __future__ import annotations

from typing import Any

import numpy as np

from llmlora.gguf.architecture import GELU, Architecture, Keys, refuse
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.model_shape import Config, ModelShape, setting

_BLOCKS = {
    "attn_norm": "input_layernorm",
    "attn_qkv": "attention.query_key_value",
    "attn_output": "attention.dense",
    "ffn_norm": "post_attention_layernorm",
    "ffn_up": "mlp.dense_h_to_4h",
    "ffn_down": "mlp.dense_4h_to_h",
}


def _rows(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    """Bring the fused projection from (head, q|k|v) to (q|k|v, head)."""
    return _regrouped(name, values, shape.num_heads, 3)


def _restored_rows(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    return _regrouped(name, values, 3, shape.num_heads)


def _regrouped(name: str, values: np.ndarray, outer: int, inner: int) -> np.ndarray:
    if ".query_key_value." not in name:
        return values
    rows = values.reshape(outer, inner, values.shape[0] // outer // inner, *values.shape[1:])
    return rows.swapaxes(0, 1).reshape(values.shape)


def _check(config: Config, shape: ModelShape) -> None:
    refuse(config, attention_bias=(True,))


def _keys(config: Config, shape: ModelShape) -> Keys:
    return {"use_parallel_residual": bool(setting(config, "use_parallel_residual", default=True))}


def _settings(keys: FileKeys, config: Config) -> dict[str, Any]:
    return {"hidden_act": "gelu", "use_parallel_residual": keys.flag("use_parallel_residual", True)}


ENTRIES = (
    Architecture(
        "gpt_neox",
        "gptneox",
        root="gpt_neox",
        blocks=_BLOCKS,
        outer={"token_embd": "embed_in", "output_norm": "final_layer_norm"},
        biases=tuple(_BLOCKS),
        activations=GELU,
        epsilon_key="layer_norm_epsilon",
        needs_output=True,
        extra_keys=_keys,
        check=_check,
        rearrange_rows=_rows,
        restore_rows=_restored_rows,
        file_settings=_settings,
        config_names={"rms_norm_eps": "layer_norm_eps"},
    ),
)
