"""Qwen 2 and 3: biases in the projections of the one, norms of queries and keys in the other."""

from __future__ import annotations

from llmlora.gguf.architecture import LLAMA_BLOCKS, Architecture, refuse
from llmlora.gguf.families.windows import LOCAL, own_window
from llmlora.gguf.model_shape import Config, ModelShape, setting

NORMED_BLOCKS = {**LLAMA_BLOCKS, "attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"}


def _check_qwen2(config: Config, shape: ModelShape) -> None:
    refuse(config, attention_bias=(True,))


def _check_qwen3(config: Config, shape: ModelShape) -> None:
    refuse(config, attention_bias=(False,))


def _window(config: Config, shape: ModelShape) -> int | None:
    """Qwen files name a window that is switched off as a rule, or on for the layers behind `max_window_layers`."""
    kinds = config.get("layer_types")
    if kinds is None:
        is_local = int(setting(config, "max_window_layers", default=28)) < shape.num_layers
    else:
        is_local = LOCAL in kinds
    return own_window(config, shape, 4096) if config.get("use_sliding_window") and is_local else None


ENTRIES = (
    Architecture("qwen2", "qwen2", biases=("attn_q", "attn_k", "attn_v"), ignored_window=_window, check=_check_qwen2),
    Architecture("qwen3", "qwen3", blocks=NORMED_BLOCKS, ignored_window=_window, check=_check_qwen3),
)
