"""Load a base model from a folder: safetensors only, no remote code, nothing from the network."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from accelerate import init_empty_weights
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from llmlora.core.errors import ModelFileError
from llmlora.core.memory import is_memory_error
from llmlora.engine.device import DTYPES

transformers_logging.disable_progress_bar()


def load_base(base_dir: Path, dtype: str, device: str = "cpu") -> PreTrainedModel:
    """Load the causal language model of a folder in a number format; raise ModelFileError when its files do not fit."""
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            base_dir,
            dtype=DTYPES[dtype],
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        if is_memory_error(error):
            raise
        raise ModelFileError("model_unreadable", path=str(base_dir), detail=str(error).splitlines()[0][:300]) from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelFileError(
            "model_weights_missing", path=str(base_dir), tensors=", ".join(missing[:5]), count=len(missing)
        )
    return model.to(device)


def empty_model(base_dir: Path) -> PreTrainedModel:
    """Return the architecture of a folder without weights, to check settings before anything is loaded."""
    try:
        config = AutoConfig.from_pretrained(base_dir, local_files_only=True, trust_remote_code=False)
        with init_empty_weights():
            return AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise ModelFileError("model_unreadable", path=str(base_dir), detail=str(error).splitlines()[0][:300]) from error
