"""Whether a model can be trained as settings say (layers, modules, rows), found out before a job is made of them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Final

from llmlora.catalog.base_model import BaseModel
from llmlora.catalog.byte_tokens import may_lack_bytes
from llmlora.catalog.known_architectures import EXPORTED_TYPES
from llmlora.catalog.opened_model import opened_dir
from llmlora.catalog.trained_size import linear_layers
from llmlora.core.config import TrainConfig
from llmlora.core.general_rows import num_general_among
from llmlora.services.doctor import nvidia_gpus
from llmlora.services.inspect import export_refusal
from llmlora.services.launch import scratch_folder
from llmlora.services.preview import OPTIONS
from llmlora.services.supervisor import run_worker

NAMING: Final = ("method", "quantization", "target_modules", "layers", "modules_to_save")


def require_trainable(base: BaseModel, config: TrainConfig, num_train_rows: int) -> None:
    """Refuse settings that this model cannot take; where headers do not tell, a worker builds it without weights.

    `num_train_rows` are the rows to train on, the bundled general ones among them.

    Raises:
        ConfigError: `unknown_target_modules`, `unknown_layers`, `unknown_modules_to_save`, `general_rows_refused`.
        ModelFileError: `model_unreadable`, no architecture that is known; `model_not_runnable` and what else its
            self-test finds in a small copy of it; `tokenizer_no_bytes`. PackageMissing: what its method needs.
    """
    _require_bytes(base.path if base.path.is_dir() else opened_dir(base.digest), base.path, base.digest)
    count = num_general_among(config.general_share, num_train_rows)
    if count or not _is_certain(base, config):
        names = (*NAMING, *OPTIONS) if count else NAMING
        asked = TrainConfig(**{name: getattr(config, name) for name in names})
        _ask_worker(base.name, str(base.path.absolute()), base.digest, asked, count)


@lru_cache(maxsize=64)
def _require_bytes(tokenizer_dir: Path, path: Path, base_digest: str) -> None:
    """Ask once for a model whose file looks as if tokens of bytes were missing; a refusal is not kept."""
    if may_lack_bytes(tokenizer_dir):
        export_refusal(path)


def _is_certain(base: BaseModel, config: TrainConfig) -> bool:
    """Tell whether the headers show that everything named is there: an architecture may fuse or rename layers."""
    if base.model_type not in EXPORTED_TYPES or (config.method == "qlora" and _needs_package(config)):
        return False
    if config.method == "full":
        return True
    if config.layers is not None or config.modules_to_save:
        return False
    names = [f".{layer.name}" for layer in linear_layers(base.tensors)]
    targets = () if config.target_modules == "all-linear" else config.target_modules
    return all(any(name.endswith(f".{target}") for name in names) for target in targets)


def _needs_package(config: TrainConfig) -> bool:
    return config.quantization == "nf4" or bool(nvidia_gpus())


@lru_cache(maxsize=64)
def _ask_worker(name: str, base_dir: str, base_digest: str, asked: TrainConfig, num_general: int) -> None:
    """Ask once for a model and what is asked of it; a refusal is not kept."""
    question = {"base_model": name, "base_dir": base_dir, "base_digest": base_digest, "num_general": num_general}
    with scratch_folder({"kind": "check_method", **question, "train": asked.model_dump(mode="json")}) as work:
        run_worker("check_method", work)
