"""Changes to the configs of tiny models that change their files: rotary scalings, ties, biases, windows."""

from __future__ import annotations

from typing import Any

from tiny_models import LLAMA31_ROPE


def rope(kind: str, **settings: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_type": kind, "rope_theta": 10_000.0, **settings}}


SHORT_FACTORS, LONG_FACTORS = ([1.0 + step * number for number in range(32)] for step in (0.02, 0.1))
# name -> (architecture, changes to its config)
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "llama 3.1 rope": ("llama", {"rope_parameters": LLAMA31_ROPE, "tokenizer": "llama3"}),
    "padded vocabulary": ("llama", {"vocab_size": 704}),
    "untied": ("llama", {"tie_word_embeddings": False}),
    "own head size, biases": ("llama", {"head_dim": 32, "attention_bias": True, "mlp_bias": True}),
    "no grouped heads": ("llama", {"num_key_value_heads": 4}),
    "one kv head": ("llama", {"num_key_value_heads": 1}),
    "stored as bf16": ("llama", {"dtype": "bfloat16"}),
    "stored as f16": ("qwen3", {"dtype": "float16"}),
    "linear rope": ("llama", rope("linear", factor=4.0)),
    "yarn": ("qwen2", rope("yarn", factor=4.0, original_max_position_embeddings=128)),
    "qwen2 untied": ("qwen2", {"tie_word_embeddings": False}),
    "qwen3 tied": ("qwen3", {"tie_word_embeddings": True}),
    "phi3 tied": ("phi3", {"tie_word_embeddings": True}),
    "phi3 partial rotary": ("phi3", rope("default", partial_rotary_factor=0.75)),
    "phi3 long rope": (
        "phi3",
        rope("longrope", short_factor=SHORT_FACTORS, long_factor=LONG_FACTORS, original_max_position_embeddings=512),
    ),
    "gemma2 other soft caps": ("gemma2", {"attn_logit_softcapping": 20.0, "final_logit_softcapping": 10.0}),
    "gemma2 other layers": ("gemma2", {"layer_types": ["full_attention", "sliding_attention"]}),
    "gemma3 all layers local": ("gemma3", {"layer_types": ["sliding_attention"] * 3}),
    "gemma3 scaled rope": (
        "gemma3",
        {
            "rope_parameters": {
                "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
            }
        },
    ),
    "gpt2 untied": ("gpt2", {"tie_word_embeddings": False}),
    "gpt_neox tied": ("gpt_neox", {"tie_word_embeddings": True}),
    "gpt_neox sequential": ("gpt_neox", {"use_parallel_residual": False}),
}

# Models whose file names less context than the config: name -> (architecture, changes, context)
WITHIN: dict[str, tuple[str, dict[str, Any], int]] = {
    "mistral window": ("mistral", {"sliding_window": 256}, 256),
    "qwen2 window": ("qwen2", {"use_sliding_window": True, "sliding_window": 256, "max_window_layers": 1}, 256),
    "phi3 long rope": (
        "phi3",
        {
            **rope("longrope", short_factor=SHORT_FACTORS, long_factor=LONG_FACTORS),
            "max_position_embeddings": 2048,
            "original_max_position_embeddings": 256,
        },
        256,
    ),
}
