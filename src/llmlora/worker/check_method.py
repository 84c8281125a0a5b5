"""Worker kind `check_method`: whether a model can be trained as settings say, from its architecture without weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.engine.device import pick_device
from llmlora.engine.load import empty_model
from llmlora.engine.method import check_method
from llmlora.engine.nf4_matrix import require_nf4
from llmlora.weights.base import open_base
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Check the settings of `train` against the base of `base_dir`; the result is which layers stand for named ones.

    Raises:
        ConfigError: those of `check_method`. ModelFileError: `model_unreadable`. PackageMissing: bitsandbytes.
    """
    train = TrainConfig(**config["train"])
    if train.method == "qlora" and pick_device() == "cuda":
        require_nf4()
    return {"renamed": check_method(empty_model(open_base(Path(config["base_dir"]))), train)}
