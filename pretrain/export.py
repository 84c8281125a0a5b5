"""Write the trained weights in bfloat16 as a model folder with its card: `python -m pretrain.export [--out FOLDER]`."""

from __future__ import annotations

import argparse
import json
import math
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from llmlora.core.job import read_job
from llmlora.core.layout import META_FILE, MODEL_DIR, RESULT_FILE, run_dir, run_numbers
from llmlora.core.publish import read_json, write_json
from llmlora.engine.batch import Subset
from llmlora.engine.evaluate_loss import dataset_loss
from llmlora.engine.load import load_base
from llmlora.engine.loss import LossPath
from llmlora.prepare.dataset import load_prepared
from llmlora.weights.base import open_folder
from pretrain.card import LICENSE, model_card
from pretrain.model import END_OF_TEXT_ID, PAD_ID, TURN_END_ID, config
from pretrain.tokenizer import TOKENIZER_FILES
from pretrain.train import WORK

OUT = Path(__file__).parents[1] / "src/llmlora/assets/models/nano"
MEASURED = Path(__file__).parent / "learnability.json"
CONFIG_FIELDS = (
    "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "num_key_value_heads",
    "head_dim", "max_position_embeddings", "rms_norm_eps", "tie_word_embeddings", "attention_bias", "mlp_bias",
    "hidden_act", "initializer_range",
)  # fmt: skip


def held_out_losses(folder: Path, held_out: Path) -> dict[str, float]:
    """Return the mean loss per token of the exported bf16 weights on held-out rows, by row length."""
    model = load_base(open_folder(folder), "float32")
    rows = load_prepared(held_out)
    assert rows is not None, f"{held_out} is missing: run python -m pretrain"
    losses = {}
    for length in (256, 512, 2048):
        of_length = Subset(rows, [index for index, found in enumerate(rows.lengths) if found == length])
        losses[str(length)] = dataset_loss(model, of_length, LossPath()).loss
    return losses


def export(work: Path, out: Path) -> dict[str, Any]:
    """Write every file of the model folder and return the measured numbers."""
    trained = load_file(work / "job" / MODEL_DIR / "model.safetensors")
    out.mkdir(parents=True, exist_ok=True)
    weights = {
        name: tensor.to(torch.bfloat16).contiguous()
        for name, tensor in trained.items()
        if name != "lm_head.weight"  # tied to the embedding
    }
    (out / "model.safetensors").write_bytes(save(weights, metadata={"format": "pt"}))
    settings = {name: getattr(config(), name) for name in CONFIG_FIELDS}
    write_json(out / "config.json", {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", **settings, "rope_theta": 10000.0,
        "eos_token_id": TURN_END_ID, "pad_token_id": PAD_ID, "use_cache": True, "dtype": "bfloat16",
    })  # fmt: skip
    write_json(out / "generation_config.json", {
        "do_sample": False, "eos_token_id": [TURN_END_ID, END_OF_TEXT_ID], "pad_token_id": PAD_ID,
    })  # fmt: skip
    for name in TOKENIZER_FILES:
        shutil.copyfile(work / "tokenizer" / name, out / name)
    losses = held_out_losses(out, work / "held-out")
    run = run_dir(work / "job", run_numbers(work / "job")[-1])
    numbers = {
        **read_json(run / RESULT_FILE),
        "settings": read_job(work / "job").train,
        "rows": read_json(work / "rows" / META_FILE),
        "parameters": sum(tensor.numel() for tensor in weights.values()),
        "held_out_loss": losses,
        "held_out_perplexity": {length: math.exp(loss) for length, loss in losses.items()},
    }
    measured = json.loads(MEASURED.read_text(encoding="utf-8")) if MEASURED.is_file() else {}
    (out / "README.md").write_text(model_card(numbers, measured), encoding="utf-8")
    (out / "LICENSE").write_text(LICENSE, encoding="utf-8")
    return losses


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--out", type=Path, default=OUT)
    arguments = parser.parse_args()
    print(json.dumps(export(arguments.work, arguments.out), indent=2))
