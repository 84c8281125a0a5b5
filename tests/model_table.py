"""What the table of models says, measured: one row per architecture that transformers builds from a configuration."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForCausalLM, PreTrainedConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from engine.engine_runs import MemoryRows, losses, run_job
from llmlora.core.errors import LlmloraError
from llmlora.engine.loss import LossPath
from llmlora.engine.selftest import path_of_architecture, recorded_path
from llmlora.engine.small_model import ModelCodeError, _computing, _small_fields, model_code, small_model
from llmlora.gguf.architectures import ARCHITECTURES

TABLE = Path(__file__).parents[1] / "docs/reference/models.json"
MODEL_TYPES = tuple(sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES))

_HYBRID = {
    "num_hidden_layers": 4, "layers_block_type": ["mamba", "hybrid", "mamba", "hybrid"], "hidden_size": 64,
    "intermediate_size": 64, "num_attention_heads": 4, "attention_head_dim": 32, "mamba_d_state": 8, "vocab_size": 300,
}  # fmt: skip
_ROPE = {"rope_type": "default", "rope_theta": 10000.0}
# What a real checkpoint says and the default configuration leaves out.
FIELDS: dict[str, dict[str, Any]] = {
    "bailing_hybrid": {"n_group": 1, "topk_group": 1},
    "cohere_compass_text": {"rope_parameters": {"full_attention": _ROPE, "sliding_attention": _ROPE}},
    "deepseek_v2": {"num_experts_per_tok": 2, "n_routed_experts": 4},
    "dots1": {"n_routed_experts": 4, "n_shared_experts": 1, "num_experts_per_tok": 2},
    "falcon_h1": {"lm_head_multiplier": 0.4},
    "lfm2": {"num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"]},
    "lfm2_moe": {"num_hidden_layers": 3, "layer_types": ["conv", "full_attention", "conv"]},
    "reformer": {"is_decoder": True, "vocab_size": 300},
    "xmod": {"default_language": "en_XX"},
    "zamba2": {**_HYBRID, "n_mamba_heads": 8},
}


def tiny_config(model_type: str) -> PreTrainedConfig:
    """Return an architecture's configuration without dropout, so that a training step computes what a test can."""
    config = AutoConfig.for_model(model_type, **FIELDS.get(model_type, {}))
    for part in (config, config.get_text_config()):
        for name in [name for name in part.to_dict() if "drop" in name and isinstance(getattr(part, name), float)]:
            setattr(part, name, 0.0)
    return config


def table() -> dict[str, dict[str, Any]]:
    """Return the committed table by model type."""
    rows: dict[str, dict[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))
    return rows


def write_table(rows: dict[str, dict[str, Any]]) -> None:
    """Write the table that docs/generate.py makes the pages of."""
    TABLE.write_text(json.dumps(rows, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def measured_row(model_type: str) -> dict[str, Any]:
    """Return the row that the self-test of the miniature gives."""
    gguf = model_type in ARCHITECTURES
    try:
        with model_code():
            config = tiny_config(model_type)
        if small_model(config) is None:
            return {"layout": "not_built", "reason": _why_not_small(config), "gguf": gguf}
        path = path_of_architecture(config, LossPath())
    except ModelCodeError as error:
        return {"layout": "not_built", "reason": str(error)[:200], "gguf": gguf}
    except LlmloraError as error:
        return {"layout": "refused", "reason": error.code, "gguf": gguf}
    return {"layout": "packed" if path.packing else "padded", "own_head": path.own_head, "gguf": gguf}


def _why_not_small(config: PreTrainedConfig) -> str:
    try:
        with model_code():
            _computing(type(config)(**_small_fields(config.to_dict(), True)))
    except ModelCodeError as error:
        return str(error)[:200]
    return "too large when cut, or no finite logits"


def check_training(model_type: str, row: dict[str, Any], folder: Path) -> None:
    """Train one step of a miniature as a user would and compare its loss with transformers' own, row by row."""
    model = small_model(tiny_config(model_type))
    assert model is not None
    if type(model.config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        return  # a text part that transformers does not load by itself, such as Emu3's
    if hasattr(model.config, "router_jitter_noise"):
        model.config.router_jitter_noise = 0.0  # random as dropout is: the loss of a step would be another one
    model.save_pretrained(folder / "base")
    rows = MemoryRows(4)
    if row["layout"] == "refused":
        with pytest.raises(LlmloraError) as caught:
            run_job(folder / "base", folder / "job", rows, max_steps=1)
        assert caught.value.code == row["reason"]
        return
    trained = run_job(folder / "base", folder / "job", rows, eval_rows=rows, max_steps=1, logging_steps=1)
    assert recorded_path(folder / "job") == LossPath(row["layout"] == "packed", row["own_head"])
    expected = own_loss(folder / "base", rows)
    assert losses(folder / "job")[0] == pytest.approx(expected, rel=1e-4)
    assert trained.state.evaluations[0]["eval_loss"] == pytest.approx(expected, rel=1e-4)


def own_loss(base: Path, rows: MemoryRows) -> float:
    """Return the mean over label tokens by transformers alone, row by row."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).eval()
    total, count = 0.0, 0
    for ids, labels in rows.rows:
        tokens, targets = (torch.from_numpy(part).long() for part in (ids, labels))
        with torch.no_grad():
            logits = model(input_ids=tokens[None], use_cache=False).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, targets[1:], reduction="sum"))
        count += int((targets[1:] != -100).sum())
    return total / count
