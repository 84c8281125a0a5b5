"""Write the latest checkpoint as a model folder: `python -m pretrain.export [--out FOLDER]`."""

from __future__ import annotations

import argparse
import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save
from transformers import AutoModelForCausalLM

from pretrain.card import LICENSE, model_card
from pretrain.model import END_OF_TEXT_ID, PAD_ID, TURN_END_ID, config
from pretrain.rows import STEP_TOKENS
from pretrain.train import WORK, loss_of, model_of_checkpoint

OUT = Path(__file__).parents[1] / "src/llmlora/assets/models/nano"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja")
MEASURED = Path(__file__).parent / "learnability.json"
CONFIG_FIELDS = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
    "head_dim", "max_position_embeddings", "rms_norm_eps", "tie_word_embeddings", "attention_bias", "mlp_bias",
    "hidden_act", "initializer_range",
)  # fmt: skip


def _write_json(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def held_out_losses(folder: Path) -> dict[str, float]:
    """Return the mean loss per token of the exported bf16 weights on held-out rows, by row length."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    losses = {}
    for length, rows in {256: 64, 512: 48, 2048: 5}.items():
        found = np.load(WORK / "held-out" / f"rows-{length}.npy")[:rows].astype(np.int64)
        with torch.no_grad():
            losses[str(length)] = sum(loss_of(model, part).item() for part in torch.from_numpy(found).split(1)) / len(
                found
            )
    return losses


def export(out: Path) -> dict[str, Any]:
    """Write every file of the model folder and return the measured numbers."""
    model, numbers = model_of_checkpoint(WORK)
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: tensor.detach().to(torch.bfloat16).contiguous()
        for name, tensor in model.state_dict().items()
        if name != "lm_head.weight"  # tied to the embedding
    }
    (out / "model.safetensors").write_bytes(save(weights, metadata={"format": "pt"}))
    settings = {name: getattr(config(), name) for name in CONFIG_FIELDS}
    _write_json(out / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", **settings, "rope_theta": 10000.0,
        "eos_token_id": TURN_END_ID, "pad_token_id": PAD_ID, "use_cache": True, "dtype": "bfloat16",
    })  # fmt: skip
    _write_json(out / "generation_config.json", {
        "do_sample": False, "eos_token_id": [TURN_END_ID, END_OF_TEXT_ID], "pad_token_id": PAD_ID,
    })  # fmt: skip
    for name in TOKENIZER_FILES:
        shutil.copyfile(WORK / "tokenizer" / name, out / name)
    losses = held_out_losses(out)
    numbers |= {
        "tokens": numbers["step"] * STEP_TOKENS,
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "held_out_loss": losses,
        "held_out_perplexity": {length: math.exp(loss) for length, loss in losses.items()},
    }
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}
    (out / "README.md").write_text(model_card(numbers, measured), encoding="utf-8")
    (out / "LICENSE").write_text(LICENSE, encoding="utf-8")
    return numbers


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default=str(OUT))
    torch.set_num_threads(1)
    print(json.dumps(export(Path(parser.parse_args().out)), indent=2))
