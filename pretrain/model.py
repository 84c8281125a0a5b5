"""The shape of the model: a small Llama whose matrix rows are all divisible by 256, so that every GGUF type fits."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from llmlora.core.publish import publishing_dir
from pretrain.tokenizer import CONTEXT, TOKENIZER_FILES, VOCABULARY

TURN_END_ID = 3
END_OF_TEXT_ID = 0
PAD_ID = 1


def config() -> LlamaConfig:
    """Return the configuration of nano."""
    return LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=256,
        intermediate_size=768,
        num_hidden_layers=4,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=64,
        max_position_embeddings=CONTEXT,
        rms_norm_eps=1e-5,
        rope_theta=10000.0,
        tie_word_embeddings=True,
        attention_bias=False,
        mlp_bias=False,
        hidden_act="silu",
        initializer_range=0.02,
        bos_token_id=None,
        eos_token_id=TURN_END_ID,
        pad_token_id=PAD_ID,
    )


def save_fresh_model(folder: Path, tokenizer: Path, seed: int = 1) -> None:
    """Write a model folder with random weights and the files of a tokenizer folder."""
    torch.manual_seed(seed)
    with publishing_dir(folder) as temporary:
        LlamaForCausalLM(config()).save_pretrained(temporary)
        for name in TOKENIZER_FILES:
            shutil.copyfile(tokenizer / name, temporary / name)
