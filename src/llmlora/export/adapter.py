"""A saved LoRA adapter as changes of base tensors, one tensor at a time.

PEFT itself says, on a model without storage, which module has which scaling (rank and alpha patterns, rsLoRA, layer
choice), so that no rule of its is written twice; only the arithmetic is done here, in float32.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, PeftConfig, get_peft_model
from peft.tuners.lora import LoraLayer
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM

from llmlora.core.diverged import not_finite
from llmlora.core.errors import ExportError, ModelFileError
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_WEIGHTS
from llmlora.core.lora import BASE_CHANGING_INITS
from llmlora.core.publish import read_json
from llmlora.engine.load import model_config
from llmlora.weights.base import Base

PREFIX = "base_model.model."
UNSUPPORTED_SETTINGS = (
    "layer_replication", "target_parameters", "trainable_token_indices", "lora_bias", "use_qalora", "arrow_config",
    "alora_invocation_tokens",
)  # fmt: skip


@dataclass(frozen=True)
class LoraChange:
    """One LoRA module: which tensors of the adapter file change which base weight, and how strongly."""

    key_a: str
    key_b: str
    key_magnitude: str | None
    scaling: float
    is_transposed: bool


class Adapter:
    """A PEFT adapter folder, opened; `changes` and `replacements` are keyed by the base model's tensor names.

    `embedding` and `output_head` are the names of the input embedding and of the output projection; `unties` tells
    that the two differ after merging although the base shares one tensor for both.
    """

    def __init__(self, adapter_dir: Path, base: Base) -> None:
        self.path = adapter_dir
        self.config = read_adapter_config(adapter_dir)
        self._tensors = _Tensors(adapter_dir / ADAPTER_WEIGHTS)
        model = _model_without_storage(base)
        self.embedding = _name_of(model, model.get_input_embeddings())
        self.output_head = _name_of(model, model.get_output_embeddings())
        self.changes = self._find_changes(model)
        self.replacements = self._find_replacements()
        touched = {*self.changes, *self.replacements}
        ties = bool(model.config.tie_word_embeddings)
        if ties and self.config.ensure_weight_tying:
            self.unties = False
        else:
            self.unties = ties and bool(touched & {self.embedding, self.output_head})

    @property
    def weight_names(self) -> set[str]:
        """Names of the base weights that the adapter changes."""
        return {*self.changes, *self.replacements}

    def apply(self, name: str, weight: np.ndarray) -> np.ndarray:
        """Return the merged float32 tensor of `name`; `weight` is the base's.

        Raises ModelFileError(weights_diverged) where the sum is not finite, as of numbers that grew too large.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            merged = self._changed(name, weight)
        if not np.isfinite(merged).all():
            raise not_finite(self.path, name)
        return merged

    def _changed(self, name: str, weight: np.ndarray) -> np.ndarray:
        if name in self.replacements:
            replacement = self._tensors.read(self.replacements[name])
            if replacement.shape != weight.shape:
                raise ExportError("merge_unsupported", reason=f"{name}: {weight.shape} -> {replacement.shape}")
            weight = replacement
        change = self.changes.get(name)
        return weight if change is None else self._merged(change, weight)

    def _merged(self, change: LoraChange, weight: np.ndarray) -> np.ndarray:
        a, b = self._tensors.read(change.key_a), self._tensors.read(change.key_b)
        delta = (b @ a) * np.float32(change.scaling)
        if change.is_transposed:
            delta = delta.T
        merged: np.ndarray = weight + delta
        if change.key_magnitude is None:
            return merged
        magnitude = self._tensors.read(change.key_magnitude).reshape(-1)
        axis = 0 if change.is_transposed else 1
        norm = np.linalg.norm(merged, axis=axis)
        scale = magnitude / norm
        scaled: np.ndarray = merged * (scale[None, :] if change.is_transposed else scale[:, None])
        return scaled

    def _find_changes(self, model: Any) -> dict[str, LoraChange]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # advice of PEFT for training; here nothing is trained
            wrapped = get_peft_model(model, self.config, low_cpu_mem_usage=True)
        found = {}
        for path, module in wrapped.base_model.model.named_modules():
            if isinstance(module, LoraLayer) and "default" in module.scaling:
                change = self._change_of(path, module)
                if change is not None:
                    found[f"{path}.weight"] = change
        return found

    def _change_of(self, path: str, module: Any) -> LoraChange | None:
        is_embedding = bool(module.lora_embedding_A)
        kind = "lora_embedding_{}" if is_embedding else "lora_{}.weight"
        key_a, key_b = (f"{PREFIX}{path}.{kind.format(letter)}" for letter in "AB")
        if not self._tensors.has(key_a):
            return None
        names = (f"{PREFIX}{path}.lora_magnitude_vector{suffix}" for suffix in ("", ".weight"))
        magnitude = next((name for name in names if self._tensors.has(name)), None)
        if is_embedding and magnitude:
            raise ExportError("merge_unsupported", reason=f"DoRA: {path}")
        transposed = is_embedding or bool(getattr(module, "fan_in_fan_out", False))
        return LoraChange(key_a, key_b, magnitude, float(module.scaling["default"]), transposed)

    def _find_replacements(self) -> dict[str, str]:
        used = {key for change in self.changes.values() for key in (change.key_a, change.key_b, change.key_magnitude)}
        rest = [key for key in self._tensors.names if key not in used]
        unknown = [key for key in rest if not key.startswith(PREFIX) or "lora_" in key or "token_adapter" in key]
        if unknown:
            raise ExportError("adapter_unknown_tensors", path=str(self.path), names=", ".join(unknown[:5]))
        # PEFT also saves the untouched weight of an embedding that has a LoRA of its own.
        return {key.removeprefix(PREFIX).replace(".base_layer.", "."): key for key in rest}


class _Tensors:
    """The tensors of one safetensors file, read one at a time as float32."""

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        try:
            self._file: Any = safe_open(str(path), framework="pt")
        except (OSError, ValueError, SafetensorError) as error:
            raise ModelFileError("adapter_unreadable", path=str(path), detail=str(error)) from error
        self.names = list(self._file.keys())

    def has(self, name: str) -> bool:
        return name in self.names

    def read(self, name: str) -> np.ndarray:
        tensor = self._file.get_tensor(name)
        if not torch.isfinite(tensor).all():
            raise not_finite(self._folder, name)
        return np.asarray(tensor.float().numpy())


def read_adapter_config(adapter_dir: Path) -> LoraConfig:
    """Read `adapter_config.json`; raises ExportError for kinds of adapters that cannot be merged exactly."""
    try:
        init = str(read_json(adapter_dir / ADAPTER_CONFIG).get("init_lora_weights")).lower()
        if init.startswith(BASE_CHANGING_INITS):
            raise ExportError("merge_unsupported", reason=f"init_lora_weights={init}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about settings of newer versions; what matters is checked below
            config = PeftConfig.from_pretrained(str(adapter_dir))
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFileError("adapter_unreadable", path=str(adapter_dir), detail=str(error)) from error
    if not isinstance(config, LoraConfig):
        raise ExportError("merge_unsupported", reason=f"peft_type={config.peft_type}")
    used = [name for name in UNSUPPORTED_SETTINGS if getattr(config, name, None)]
    if used:
        raise ExportError("merge_unsupported", reason=", ".join(used))
    return config


def _model_without_storage(base: Base) -> Any:
    config = model_config(base)
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def _name_of(model: Any, wanted: Any) -> str:
    return next((f"{name}.weight" for name, module in model.named_modules() if module is wanted), "")
