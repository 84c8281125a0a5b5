"""A base model, opened: what a worker hands around instead of the place where the files lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llmlora.catalog.model_folder import context_length, read_json_object
from llmlora.catalog.opened_model import read_opened
from llmlora.core.layout import CONFIG_FILE
from llmlora.gguf.gguf_source import GgufSource
from llmlora.weights.folder_source import FolderSource
from llmlora.weights.gguf_companions import write_companions
from llmlora.weights.source import StoredSource


@dataclass(frozen=True)
class Base:
    """A model's configuration and tensors, and the folder of what goes with them.

    `path` is the folder or file that it was read from, `config` its `config.json`, `tokenizer_dir` the folder of
    tokenizer, chat template and generation settings. Weights are looked at when `source` is first asked for.
    """

    path: Path
    tokenizer_dir: Path
    config: Mapping[str, Any]
    open_source: Callable[[], StoredSource]

    @cached_property
    def source(self) -> StoredSource:
        """The tensors; raises ModelFileError when files are missing, hostile or do not fit together."""
        return self.open_source()

    @property
    def context_length(self) -> int | None:
        """How many tokens the model takes at most; None for a tokenizer without a model."""
        return context_length(dict(self.config)) if self.config else None


def open_base(path: Path) -> Base:
    """Open a model folder, or the model in a GGUF file; raises what `open_folder` and `open_gguf` raise."""
    return open_gguf(path) if path.is_file() else open_folder(path)


def open_folder(folder: Path) -> Base:
    """Open a model folder, or one that has a tokenizer only; raises ModelFileError for a damaged configuration.

    What a foreign folder may ask for was checked when the catalog found it.
    """
    path = folder / CONFIG_FILE
    config = read_json_object(path) if path.is_file() else {}
    return Base(folder, folder, config, lambda: FolderSource(folder))


def open_gguf(path: Path) -> Base:
    """Open the model in a GGUF file; its tokenizer and chat template are written into the workspace once.

    Raises:
        UnsupportedArchitecture: no rules for the file's architecture.
        ModelFileError: the file is broken, or has a key, a tensor or a tokenizer without a counterpart here.
    """
    source = GgufSource(path)
    opened = read_opened(source.files.digest)
    folder = write_companions(source) if opened is None else opened.path
    return Base(path, folder, source.config, lambda: source)
