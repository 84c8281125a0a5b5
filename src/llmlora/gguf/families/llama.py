"""Llama and Mistral: rotary pairs lie in halves of a head in transformers and side by side in llama.cpp."""

from __future__ import annotations

import numpy as np

from llmlora.gguf.architecture import Architecture
from llmlora.gguf.families.windows import own_window
from llmlora.gguf.model_shape import Config, ModelShape

_ROPE = ("default", "linear", "yarn", "llama3")


_BIASES = {
    "attention_bias": ("attn_q", "attn_k", "attn_v", "attn_output"),
    "mlp_bias": ("ffn_gate", "ffn_up", "ffn_down"),
}


def _llama_rows(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    """Bring rotary pairs from halves of a head, as transformers has them, to neighbours, as llama.cpp has them."""
    heads = _rotated_heads(name, shape)
    if heads is None:
        return values
    pairs = values.shape[0] // heads // 2
    return values.reshape(heads, 2, pairs, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _restored_rows(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    heads = _rotated_heads(name, shape)
    if heads is None:
        return values
    pairs = values.shape[0] // heads // 2
    return values.reshape(heads, pairs, 2, *values.shape[1:]).swapaxes(1, 2).reshape(values.shape)


def _rotated_heads(name: str, shape: ModelShape) -> int | None:
    if ".q_proj." in name:
        return shape.num_heads
    return shape.num_kv_heads if ".k_proj." in name else None


def _mistral_window(config: Config, shape: ModelShape) -> int | None:
    return own_window(config, shape, 4096)


ENTRIES = (
    Architecture(
        "llama",
        "llama",
        bias_settings=_BIASES,
        rope_types=_ROPE,
        rearrange_rows=_llama_rows,
        restore_rows=_restored_rows,
    ),
    Architecture(
        "mistral",
        "llama",
        rope_types=_ROPE,
        ignored_window=_mistral_window,
        rearrange_rows=_llama_rows,
        restore_rows=_restored_rows,
    ),
)
