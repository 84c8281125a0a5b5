"""Whether a model has what settings name (layers, modules), found out before a job is made of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from llmlora.catalog.base_model import BaseModel
from llmlora.catalog.known_architectures import EXPORTED_TYPES
from llmlora.catalog.trained_size import linear_layers
from llmlora.core.config import TrainConfig
from llmlora.services.doctor import nvidia_gpus
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker

NAMING: Final = ("method", "target_modules", "layers", "modules_to_save")


def require_trainable(base: BaseModel, config: TrainConfig) -> None:
    """Refuse settings that this model cannot take; where headers do not tell, a worker builds it without weights.

    Raises:
        ConfigError: `unknown_target_modules`, `unknown_layers`, `unknown_modules_to_save`.
        ModelFileError: `model_unreadable`, no architecture that is known. PackageMissing: what its method needs.
    """
    if not _is_certain(base, config):
        naming = TrainConfig(**{name: getattr(config, name) for name in NAMING})
        _ask_worker(str(base.path.absolute()), base.digest, naming)


def _is_certain(base: BaseModel, config: TrainConfig) -> bool:
    """Tell whether the headers show that everything named is there: an architecture may fuse or rename layers."""
    if base.model_type not in EXPORTED_TYPES or (config.method == "qlora" and nvidia_gpus()):
        return False
    if config.method == "full":
        return True
    if config.layers is not None or config.modules_to_save:
        return False
    names = [f".{layer.name}" for layer in linear_layers(base.tensors)]
    targets = () if config.target_modules == "all-linear" else config.target_modules
    return all(any(name.endswith(f".{target}") for name in names) for target in targets)


@lru_cache(maxsize=64)
def _ask_worker(base_dir: str, base_digest: str, naming: TrainConfig) -> None:
    """Ask once for a model and what is named of it; a refusal is not kept."""
    question = {"base_dir": base_dir, "base_digest": base_digest, "train": naming.model_dump(mode="json")}
    with scratch_folder({"kind": "check_method", **question}) as work:
        run_worker("check_method", work)
