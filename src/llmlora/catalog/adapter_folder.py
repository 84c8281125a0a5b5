"""Look at a PEFT adapter folder without loading it, and refuse what is no adapter, damaged or hostile."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from llmlora.catalog.header_reader import read_elsewhere
from llmlora.catalog.model_folder import LAYER_NAME, MAX_CONFIG_BYTES, PICKLES, inside, read_json_object, readable
from llmlora.catalog.safetensors_header import TensorInfo, read_safetensors_header
from llmlora.core.errors import ModelFileError, NotFound
from llmlora.core.layout import ADAPTER_CONFIG, ADAPTER_WEIGHTS

# PEFT imports what `auto_mapping` names; it writes nothing else than these itself.
_KNOWN_LIBRARIES = ("transformers", "peft")
_HALF: Final = re.compile(r"(.+)\.lora_([AB])\.weight")  # A: from a layer's input to the rank; B: on to its output


@dataclass(frozen=True)
class AdapterFolder:
    """What the files of an adapter say: its settings, and the tensors of its weights."""

    path: Path
    config: dict[str, Any]
    tensors: tuple[TensorInfo, ...] = field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, without the folder's own place."""
        return {"config": self.config, "tensors": [tensor.to_list() for tensor in self.tensors]}

    @classmethod
    def from_dict(cls, found: dict[str, Any], folder: Path) -> Self:
        """Return what a JSON form says of a folder."""
        return cls(folder, found["config"], tuple(map(TensorInfo.from_list, found["tensors"])))


def read_adapter_folder(folder: Path) -> AdapterFolder:
    """Check settings and weights of an adapter as far as that goes without its base model, and describe them.

    Raises:
        NotFound: `adapter_not_found`, no `adapter_config.json`.
        ModelFileError: pickled, damaged or missing weights, settings that name foreign code, links out of the folder.
        LlmloraError: those of `read_elsewhere`.
    """
    found = read_elsewhere("adapter", folder)
    if found is not None:
        return AdapterFolder.from_dict(found, folder)
    with readable(folder):
        if not (folder / ADAPTER_CONFIG).is_file():
            raise NotFound("adapter_not_found", path=str(folder))
        return AdapterFolder(folder, _config(inside(folder, ADAPTER_CONFIG)), _tensors(folder))


def _config(path: Path) -> dict[str, Any]:
    config = read_json_object(path, MAX_CONFIG_BYTES)
    mapping = config.get("auto_mapping")
    if isinstance(mapping, Mapping):
        library = str(mapping.get("parent_library") or "peft").partition(".")[0]
        if library not in _KNOWN_LIBRARIES:
            raise ModelFileError("model_config_hostile", path=str(path), setting="auto_mapping")
    return config


def _tensors(folder: Path) -> tuple[TensorInfo, ...]:
    if not (folder / ADAPTER_WEIGHTS).is_file():
        pickles = sorted({found.name for pattern in PICKLES for found in folder.glob(pattern)})
        if pickles:
            raise ModelFileError("pickle_weights", path=str(folder), files=", ".join(pickles[:5]))
        raise ModelFileError("adapter_weights_missing", path=str(folder))
    return read_safetensors_header(inside(folder, ADAPTER_WEIGHTS)).tensors


def check_adapter_fits(adapter: AdapterFolder, tensors: Sequence[TensorInfo]) -> None:
    """Refuse an adapter with a part for a layer that a model lacks or has in another size, by the headers of both.

    `tensors` are the model's, their matrices stored as [output, input]. What headers do not tell, the loader compares.

    Raises:
        ModelFileError: `adapter_does_not_fit`.
    """
    layers = {_in_block(item.name.removesuffix(".weight")): item.shape for item in tensors if len(item.shape) == 2}
    for item in adapter.tensors:
        half = _HALF.fullmatch(item.name)
        name = _in_block(half[1]) if half is not None and len(item.shape) == 2 else None
        if half is None or name is None:  # an output layer may be the embeddings, and no tensor of its own
            continue
        layer, side = layers.get(name), 1 if half[2] == "A" else 0
        if layer is None or layer[side] != item.shape[side]:
            detail = f"{item.name} {list(item.shape)}"
            raise ModelFileError("adapter_does_not_fit", path=str(adapter.path), detail=detail)


def _in_block(name: str) -> str | None:
    """Return the name of a layer from its block on, None outside of one: what stands before depends on who saved it."""
    found = LAYER_NAME.search(name)
    return None if found is None else name[found.start() :].lstrip(".")
