"""The model in a GGUF file as transformers would have it: its config, and its tensors one at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_files import GgufFiles, read_gguf_files
from llmlora.catalog.gguf_header import GgufTensor
from llmlora.core.errors import ModelFileError
from llmlora.gguf.architecture import Architecture
from llmlora.gguf.architectures import architecture_in_file
from llmlora.gguf.blocks import Blocks
from llmlora.gguf.conversion import EMBEDDING, OUTPUT
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.mix import FLOAT_TYPES
from llmlora.gguf.quantize import matrix_in_blocks
from llmlora.gguf.reader import read_values
from llmlora.gguf.rope import FACTOR_TENSORS

_SPECIAL_IDS = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
_NOT_OF_THE_MODEL = ("vocab_size",)  # the embedding says it


Place = tuple[Path, GgufTensor]


class GgufSource:
    """The weights of a GGUF file, or of all parts of a split one, under their Hugging Face names, as float32.

    `config` is their config.json, `files` where they lie.

    Raises:
        UnsupportedArchitecture: no rules for the file's architecture.
        ModelFileError: the file is broken, or has a key or a tensor that its config would not say.
    """

    def __init__(self, path: Path) -> None:
        self.files = read_gguf_files(path)
        self._architecture = architecture_in_file(self.files.metadata)
        stored = self.files.places
        self.config = _config(self.files, stored, self._architecture)
        self._shape = self._architecture.shape(self.config)
        source_name = self._architecture.source_namer(self.config)
        self._places: dict[str, Place] = {}
        for place, tensor in stored.values():
            if tensor.name in FACTOR_TENSORS:
                continue
            name = source_name(tensor.name)
            if name is None:
                raise ModelFileError("gguf_tensor_unknown", path=str(place), name=tensor.name)
            self._places[name] = (place, tensor)
        self._has_blocks = any(tensor.ggml_type not in FLOAT_TYPES for _, tensor in self._places.values())

    def names(self) -> list[str]:
        """Return the names of all tensors, in the file's order."""
        return list(self._places)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        stored = self._places[name][1].shape
        return stored[::-1] if self._architecture.is_transposed(name) else stored

    def ggml_type(self, name: str) -> str:
        """Return the type that a tensor is stored in, by llama.cpp's name."""
        return self._places[name][1].ggml_type

    def read(self, name: str) -> np.ndarray:
        """Return a tensor as float32.

        Raises:
            ModelFileError: `weights_not_finite` for NaN or infinity, `gguf_tensor_type` for a type without a rule.
        """
        values = read_values(*self._places[name]).astype(np.float32, copy=False)
        if not np.isfinite(values).all():
            raise ModelFileError("weights_not_finite", path=str(self._places[name][0]), name=name)
        return self._architecture.restore(name, values, self._shape)

    def blocks(self, name: str) -> Blocks | None:
        """Return a matrix in the file's own blocks, mapped where its rows are in order; None for one without blocks.

        Those of a file without any blocks are made of its numbers.
        """
        if not self._has_blocks:
            return matrix_in_blocks(name, self.read(name))
        path, tensor = self._places[name]
        if tensor.ggml_type in FLOAT_TYPES or self._architecture.is_transposed(name):
            return None
        raw = np.memmap(path, dtype=np.uint8, mode="r", offset=tensor.offset, shape=(tensor.num_bytes,))
        stored = raw.reshape(tensor.shape[0], -1)
        numbers = np.arange(len(stored))
        order = self._architecture.restore(name, numbers, self._shape)
        return Blocks(tensor.ggml_type, stored if np.array_equal(order, numbers) else stored[order])

    def dtype(self, name: str) -> str:
        """Return the number format of `stored`: float32, for blocks are of no use by themselves."""
        return "F32"

    def stored(self, name: str) -> np.ndarray:
        """Return a tensor as float32 in an array of its own."""
        return np.require(self.read(name), requirements=("C", "W"))


def _config(files: GgufFiles, tensors: Mapping[str, Place], architecture: Architecture) -> dict[str, Any]:
    path, metadata = files.paths[0], files.metadata
    keys = FileKeys(path, architecture.gguf_name, metadata)
    _check_tensors(path, tensors, architecture, keys.integer("block_count"))
    factors = {name: read_values(*tensors[name]) for name in FACTOR_TENSORS if name in tensors}
    config = {
        **architecture.config(keys, factors),
        **_biases(path, tensors, architecture),
        "vocab_size": tensors[EMBEDDING][1].shape[0],
        "tie_word_embeddings": OUTPUT not in tensors,
    }
    _check_nothing_is_lost(path, metadata, architecture, config)
    # None where the file has none: a configuration class has ids of its own, which may lie outside the vocabulary
    special = {name: metadata.get(f"tokenizer.ggml.{key}_token_id") for name, key in _SPECIAL_IDS.items()}
    return {**config, **special}


def _check_tensors(path: Path, names: Collection[str], architecture: Architecture, num_layers: int) -> None:
    """Every weight of the architecture must be there; those that it has not are found when they are named."""
    blocks = [f"blk.{layer}.{part}" for layer in range(num_layers) for part in architecture.blocks]
    missing = next((name for name in (*architecture.outer, *blocks) if f"{name}.weight" not in names), None)
    if missing is not None:
        raise ModelFileError("gguf_tensor_missing", path=str(path), name=f"{missing}.weight")


def _biases(path: Path, names: Collection[str], architecture: Architecture) -> dict[str, bool]:
    """Return what the config says of biases; no class of transformers has others than these groups."""
    present = {part for part in architecture.blocks if f"blk.0.{part}.bias" in names}
    settings = {name: present.issuperset(parts) for name, parts in architecture.bias_settings.items()}
    switched_on = (architecture.bias_settings[name] for name, is_on in settings.items() if is_on)
    expected = {*architecture.biases, *chain.from_iterable(switched_on)}
    if missing := sorted(expected - present):
        raise ModelFileError("gguf_tensor_missing", path=str(path), name=f"blk.0.{missing[0]}.bias")
    if unknown := sorted(present - expected):
        raise ModelFileError("gguf_tensor_unknown", path=str(path), name=f"blk.0.{unknown[0]}.bias")
    return settings


def _check_nothing_is_lost(
    path: Path, metadata: Mapping[str, Any], architecture: Architecture, config: dict[str, Any]
) -> None:
    """Every key of the architecture must come out of the config again: one that does not says what nobody would do."""
    written = architecture.keys(config)
    prefix = f"{architecture.gguf_name}."
    for name, value in metadata.items():
        if not name.startswith(prefix) or name.removeprefix(prefix) in _NOT_OF_THE_MODEL:
            continue
        if name not in written or not _is_same(value, written[name]):
            raise ModelFileError("gguf_key_unusable", path=str(path), name=name, value=str(value)[:100])


def _is_same(value: Any, written: Any) -> bool:
    if isinstance(written, float) and isinstance(value, int | float):
        return bool(np.isclose(value, written, rtol=1e-6, atol=0))
    return bool(value == written)
