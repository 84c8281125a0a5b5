"""Worker kind `check_method`: whether a model can be trained as settings say, from its architecture without weights.

A small copy of it is tried as well, so that one which computes no text is refused before its weights are loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.config import TrainConfig
from llmlora.core.errors import ConfigError
from llmlora.core.events import EventWriter
from llmlora.engine.device import pick_device
from llmlora.engine.load import empty_model
from llmlora.engine.loss import LossPath
from llmlora.engine.method import check_method
from llmlora.engine.nf4_matrix import require_nf4
from llmlora.engine.selftest import path_of_architecture
from llmlora.weights.base import open_base
from llmlora.worker.frame import StopFlag
from llmlora.worker.general_rows import general_rows


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Check the settings of `train` against the base of `base_dir`; the result is which layers stand for named ones.

    Raises:
        ConfigError: those of `check_method`, `general_rows_refused`, `quantization_cpu_only`.
        PackageMissing: bitsandbytes.
        ModelFileError: `model_unreadable`, those of `path_of_architecture`.
    """
    train = TrainConfig(**config["train"])
    if train.method == "qlora":
        _check_quantization(train, pick_device())
    base = open_base(Path(config["base_dir"]))
    architecture = empty_model(base)
    renamed = check_method(architecture, train)
    path_of_architecture(architecture.config, LossPath(packing=False))
    general_rows(base, config["base_model"], train, config["num_general"])
    return {"renamed": renamed}


def _check_quantization(train: TrainConfig, device: str) -> None:
    """Refuse what this machine cannot hold a base in."""
    if train.quantization == "q4_k" and device != "cpu":
        raise ConfigError("quantization_cpu_only", device=device)
    if train.quantization == "nf4" or device == "cuda":
        require_nf4()
