"""What is built before the loop: which weights train, and how the base holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, get_peft_model, get_peft_model_state_dict
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError, ModelFileError
from llmlora.core.layout import ADAPTER_WEIGHTS
from llmlora.core.memory import is_memory_error
from llmlora.engine.load import NO_PRODUCTS
from llmlora.engine.precision import load_adapter, train_in_float32, unpack_ends
from llmlora.weights.base import Base

# The usual names of separate layers, and what holds them where an architecture fuses or renames them.
RENAMED_LAYERS: dict[str, dict[str, str]] = {
    "gpt2": {
        "q_proj": "c_attn",
        "k_proj": "c_attn",
        "v_proj": "c_attn",
        "o_proj": "attn.c_proj",
        "gate_proj": "c_fc",
        "up_proj": "c_fc",
        "down_proj": "mlp.c_proj",
    },
    "gpt_neox": {
        "q_proj": "query_key_value",
        "k_proj": "query_key_value",
        "v_proj": "query_key_value",
        "o_proj": "attention.dense",
        "gate_proj": "dense_h_to_4h",
        "up_proj": "dense_h_to_4h",
        "down_proj": "dense_4h_to_h",
    },
    "phi3": {
        "q_proj": "qkv_proj",
        "k_proj": "qkv_proj",
        "v_proj": "qkv_proj",
        "gate_proj": "gate_up_proj",
        "up_proj": "gate_up_proj",
    },
}

# Layers of state-space models whose weights a fused kernel reads by itself, past an adapter; PEFT refuses them.
STATE_SPACE_MODELS = frozenset({"falcon_h1", "falcon_mamba", "mamba", "mamba2", "nemotron_h"})
FUSED_LAYERS = frozenset({"out_proj", "conv1d"})


def linear_names(model: PreTrainedModel) -> list[str]:
    """Return the distinct names of the layers an adapter can sit on, the output layer left out."""
    return sorted(_all_linear_names(model) - _without_adapter(model))


def _all_linear_names(model: PreTrainedModel) -> set[str]:
    output = model.get_output_embeddings()
    return {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not output
    }


def _without_adapter(model: PreTrainedModel) -> set[str]:
    """Return the names of linear layers that take no adapter: fused ones, and routers whose result is no product."""
    modules = model.named_modules()
    routers = {name.rpartition(".")[2] for name, module in modules if type(module).__name__.endswith(NO_PRODUCTS)}
    return routers | (FUSED_LAYERS if model.config.model_type in STATE_SPACE_MODELS else set())


def resolve_targets(model: PreTrainedModel, config: TrainConfig) -> tuple[list[str] | str, dict[str, str]]:
    """Return PEFT's target_modules and the names that were replaced by a fused layer.

    Raises:
        ConfigError: a name that no layer of this model carries; the message lists those that exist.
    """
    if config.target_modules == "all-linear":
        names = linear_names(model)
        is_all = config.layers is None and set(names) == _all_linear_names(model)  # PEFT: layers need names
        return ("all-linear" if is_all else names), {}
    table = RENAMED_LAYERS.get(str(model.config.model_type), {})
    left_out = _without_adapter(model)
    kinds = nn.Linear | Conv1D | nn.Embedding
    modules = [name for name, module in model.named_modules() if isinstance(module, kinds)]
    modules = [name for name in modules if name.rpartition(".")[2] not in left_out]
    targets: list[str] = []
    renamed: dict[str, str] = {}
    unknown: list[str] = []
    for name in config.target_modules:
        target = name if _is_layer(name, modules) else table.get(name, name)
        if not _is_layer(target, modules):
            unknown.append(name)
        elif target != name:
            renamed[name] = target
        targets.append(target)
    if unknown:
        raise ConfigError("unknown_target_modules", names=", ".join(unknown), known=", ".join(linear_names(model)))
    return sorted(set(targets)), renamed


def _is_layer(name: str, modules: list[str]) -> bool:
    return any(module == name or module.endswith("." + name) for module in modules)


def check_method(model: PreTrainedModel, config: TrainConfig) -> dict[str, str]:
    """Check the method's settings against an architecture before weights are loaded; return the renamed layers."""
    if config.method == "full":
        return {}
    _, renamed = resolve_targets(model, config)
    num_layers = int(model.config.get_text_config().num_hidden_layers)
    wrong = [layer for layer in config.layers or () if not 0 <= layer < num_layers]
    if wrong:
        raise ConfigError("unknown_layers", layers=", ".join(map(str, wrong)), num_layers=num_layers)
    names = {name for name, _ in model.named_modules()}
    missing = [name for name in config.modules_to_save if not any(full.split(".")[-1] == name for full in names)]
    if missing:
        raise ConfigError("unknown_modules_to_save", names=", ".join(missing))
    return renamed


def apply_method(model: PreTrainedModel, config: TrainConfig, base: Base) -> Any:
    """Return a base's model with exactly the weights trainable that the method trains, all of them in float32."""
    tuned = _with_trainable(model, config, base)
    train_in_float32(tuned)
    return tuned


def _with_trainable(model: PreTrainedModel, config: TrainConfig, base: Base) -> Any:
    if config.method == "full":
        model.requires_grad_(True)
        return model
    if config.init_adapter is not None:
        return _continue_adapter(model, Path(config.init_adapter), config)
    targets, _ = resolve_targets(model, config)
    torch.manual_seed(config.seed)
    adapter = LoraConfig(
        task_type="CAUSAL_LM",
        r=config.r,
        lora_alpha=config.lora_alpha,
        lora_dropout=config.lora_dropout,
        target_modules=targets,
        fan_in_fan_out=any(isinstance(module, Conv1D) for module in model.modules()),  # GPT-2 stores weights [in, out]
        use_rslora=config.use_rslora,
        use_dora=config.use_dora,
        modules_to_save=list(config.modules_to_save) or None,
        layers_to_transform=list(config.layers) if config.layers is not None else None,
        base_model_name_or_path=str(base.path),
    )
    unpack_ends(model, adapter)
    return get_peft_model(model, adapter)


def _continue_adapter(model: PreTrainedModel, folder: Path, config: TrainConfig) -> Any:
    """Load an adapter to train it further; its shape is kept, dropout is this run's."""
    try:
        names = load_file(folder / ADAPTER_WEIGHTS).keys()
        adapter = PeftConfig.from_pretrained(str(folder))
        adapter.lora_dropout = config.lora_dropout
        tuned = load_adapter(model, folder, adapter)
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, SafetensorError) as error:
        if is_memory_error(error):
            raise
        detail = str(error).splitlines()[0][:300]
        raise ModelFileError("adapter_does_not_fit", path=str(folder), detail=detail) from error
    # PEFT only warns about weights that are missing, or that belong to no layer of this model.
    strangers = sorted(set(names) ^ set(get_peft_model_state_dict(tuned, save_embedding_layers=False)))
    if strangers:
        raise ModelFileError("adapter_does_not_fit", path=str(folder), detail=", ".join(strangers[:3]))
    return tuned


def trainable_parameters(model: nn.Module) -> Iterator[tuple[str, nn.Parameter]]:
    """Yield name and tensor of every weight that trains, in a fixed order."""
    return ((name, weight) for name, weight in model.named_parameters() if weight.requires_grad)


def parameter_counts(model: nn.Module) -> dict[str, Any]:
    """Return trainable and total parameters and the share in percent."""
    total = sum(weight.numel() for weight in model.parameters())
    trainable = sum(weight.numel() for _, weight in trainable_parameters(model))
    return {"trainable": trainable, "total": total, "percent": round(100 * trainable / total, 4)}
