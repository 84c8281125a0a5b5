"""Load a base model into memory: transformers builds the architecture, the base's own source gives the weights.

No remote code and nothing from the network. Whatever transformers renames, stacks or splits on the way from a file's
tensors to a model's (mixture-of-experts layers, older names) it does here as well, for every kind of base: it is handed
the tensors in place of files, and reads each when its turn comes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from accelerate import init_empty_weights
from torch import nn
from transformers import (
    MODEL_FOR_CAUSAL_LM_MAPPING,
    AutoConfig,
    AutoModelForCausalLM,
    GenerationConfig,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.pytorch_utils import Conv1D
from transformers.utils import logging as transformers_logging

from llmlora.core.config import Quantization
from llmlora.core.errors import ModelFileError
from llmlora.core.layout import CONFIG_FILE
from llmlora.core.memory import is_memory_error
from llmlora.core.publish import write_json
from llmlora.engine.device import DTYPES
from llmlora.engine.ggml_matrix import GgmlMatrix
from llmlora.engine.nf4_matrix import Nf4Matrix
from llmlora.engine.quantized_weight import QuantizedMatrix, QuantizedWeight
from llmlora.weights.base import Base
from llmlora.weights.source import StoredSource

transformers_logging.disable_progress_bar()

# Linear layers by class that compute something else: a router's choice, groups of columns by themselves (DeepSeek V4).
NO_PRODUCTS = ("Router", "GroupedLinear")
# Formats that numpy lacks: a source gives their bits.
BITS = {"BF16": torch.bfloat16, "F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}


class LazyTensor:
    """A tensor of a source that is read when it is indexed with `...`, as transformers does with those of files.

    `quantized` is the device where it is to lie quantised, and how; None leaves its numbers as they are.
    """

    def __init__(self, source: StoredSource, name: str, quantized: tuple[str, Quantization] | None = None) -> None:
        self._source = source
        self._name = name
        self._quantized_as = quantized

    def __getitem__(self, index: Any) -> torch.Tensor:
        matrix = None if self._quantized_as is None else self._quantized(*self._quantized_as)
        return self._plain()[index] if matrix is None else QuantizedWeight(matrix, torch.float32)

    def _plain(self) -> torch.Tensor:
        values = torch.from_numpy(self._source.stored(self._name))
        bits = BITS.get(self._source.dtype(self._name))
        return values if bits is None else values.view(bits)

    def _quantized(self, device: str, quantization: Quantization) -> QuantizedMatrix | None:
        if quantization == "nf4" or (quantization == "auto" and device != "cpu"):
            return Nf4Matrix.of(self._plain().to(device, torch.bfloat16))
        blocks = self._source.blocks(self._name)
        return None if blocks is None else GgmlMatrix(blocks)


def load_base(base: Base, dtype: str, device: str = "cpu", quantization: Quantization | None = None) -> PreTrainedModel:
    """Load a base's causal language model in a number format; raise ModelFileError when its files do not fit.

    With a `quantization` the matrices of linear layers and of the embedding are quantised: in GGUF blocks, those of the
    file where it has any (`q4_k`, CPU only), or in NF4; `auto` is the former on a CPU, the latter on a GPU.
    """
    source = base.source
    quantized = _matrices(empty_model(base)) if quantization else frozenset()
    way = (device, quantization) if quantization else None
    try:
        kind, config = _causal_class(model_config(base))
        model, info = kind.from_pretrained(
            None,
            config=config,
            state_dict={name: LazyTensor(source, name, way if name in quantized else None) for name in source.names()},
            dtype=DTYPES[dtype],
            local_files_only=True,
            output_loading_info=True,
        )
        model.generation_config = _generation_settings(base)
    except (OSError, ValueError, KeyError, RuntimeError, json.JSONDecodeError) as error:
        if is_memory_error(error):
            raise
        raise _unreadable(base, error) from error
    missing = sorted(info["missing_keys"])
    if missing:
        raise ModelFileError(
            "model_weights_missing", path=str(base.path), tensors=", ".join(missing[:5]), count=len(missing)
        )
    model.name_or_path = model.config.name_or_path = str(base.path)
    return model.to(device)


def _matrices(model: PreTrainedModel) -> frozenset[str]:
    """Return the names that files may have for the weights of linear layers and of the embedding."""
    modules = [(name, module) for name, module in model.named_modules() if isinstance(module, nn.Linear | Conv1D)]
    names = [name for name, module in modules if not type(module).__name__.endswith(NO_PRODUCTS)]
    embedding = model.get_input_embeddings()
    names += [name for name, module in model.named_modules() if module is embedding]
    prefix = f"{model.base_model_prefix}."
    return frozenset(f"{name}.weight" for known in names for name in (known, known.removeprefix(prefix)))


def empty_model(base: Base) -> PreTrainedModel:
    """Return a base's architecture without weights, to check settings before anything is loaded."""
    try:
        with init_empty_weights():
            return AutoModelForCausalLM.from_config(model_config(base), dtype=torch.float32)
    except (OSError, ValueError, KeyError) as error:
        raise _unreadable(base, error) from error


def model_config(base: Base) -> PreTrainedConfig:
    """Return a base's configuration as transformers understands it; raises OSError or ValueError where it cannot."""
    with _config_folder(base) as folder:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


def _causal_class(config: PreTrainedConfig) -> tuple[type[PreTrainedModel], PreTrainedConfig]:
    """Return the class that transformers' own choice falls on, and the part of a configuration that it is made for.

    `AutoModelForCausalLM` itself wants a folder.
    """
    kind = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(config), None)
    if kind is None:
        raise ValueError(f"{type(config).__name__}: no causal language model")
    is_text_part = kind.config_class is config.sub_configs.get("text_config")
    return kind, config.get_text_config() if is_text_part else config


def _generation_settings(base: Base) -> GenerationConfig:
    """Return the generation settings that lie beside the tokenizer; older models have them in their configuration."""
    try:
        return GenerationConfig.from_pretrained(base.tokenizer_dir, local_files_only=True)
    except OSError:
        with _config_folder(base) as folder:
            return GenerationConfig.from_pretrained(
                folder, config_file_name=CONFIG_FILE, _from_model_config=True, local_files_only=True
            )


@contextmanager
def _config_folder(base: Base) -> Iterator[Path]:
    """Yield a folder whose `config.json` is the base's: transformers reads no other form."""
    if base.path.is_dir():
        yield base.path
        return
    with TemporaryDirectory() as folder:
        write_json(Path(folder) / CONFIG_FILE, dict(base.config))
        yield Path(folder)


def _unreadable(base: Base, error: Exception) -> ModelFileError:
    return ModelFileError("model_unreadable", path=str(base.path), detail=str(error).splitlines()[0][:300])
