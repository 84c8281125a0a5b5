"""The weights of a model folder: its safetensors files, single or sharded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from weakref import WeakValueDictionary

import numpy as np

from llmlora.catalog.model_folder import EMBEDDING_NAME, HEAD_NAME, LAYER_NAME, inside, read_json_object
from llmlora.catalog.safetensors_header import TensorInfo, read_safetensors_header
from llmlora.core.diverged import not_finite
from llmlora.core.errors import ModelFileError
from llmlora.core.layout import MODEL_INDEX, MODEL_WEIGHTS
from llmlora.gguf.blocks import Blocks
from llmlora.gguf.quantize import matrix_in_blocks
from llmlora.gguf.source import read_float_tensor

_EMBEDDING_OF = {"transformer": "wte", "gpt_neox": "embed_in"}  # else what most have: embed_tokens
# How numpy holds what a file stores; bfloat16 and the 8-bit floats, which it lacks, as their bits.
_KINDS = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "F8_E4M3": "u1", "F8_E5M2": "u1", "F8_E8M0": "u1",
    "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1", "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1",
    "BOOL": "?",
}  # fmt: skip


class FolderSource:
    """The tensors of a model folder's safetensors files, single or sharded; pickles are never opened.

    A folder may store the one tensor of a tied model as its output projection only: it gets the embedding's name here.

    Raises:
        ModelFileError: the folder's files are missing, hostile or do not fit together.
    """

    def __init__(self, folder: Path) -> None:
        self._places: dict[str, tuple[Path, int, TensorInfo]] = {}
        # Tensors that a model keeps as they are share one mapping; converted ones let go of it, and of its pages.
        self._mapped: WeakValueDictionary[Path, np.ndarray] = WeakValueDictionary()
        for path in weight_files(folder):
            header = read_safetensors_header(path)
            repeated = sorted(info.name for info in header.tensors if info.name in self._places)
            if repeated:
                raise ModelFileError("model_shards_invalid", path=str(folder), detail=", ".join(repeated[:5]))
            self._places.update({info.name: (path, header.data_offset, info) for info in header.tensors})
        renamed = _tied_names({name: info.shape for name, (_, _, info) in self._places.items()})
        self._places = {renamed.get(name, name): place for name, place in self._places.items()}

    def names(self) -> list[str]:
        """Return the names of all tensors, in the files' order."""
        return list(self._places)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return a tensor's shape."""
        return self._places[name][2].shape

    def read(self, name: str) -> np.ndarray:
        """Return a tensor as float32.

        Raises:
            ModelFileError: `weights_not_float` for other types, `weights_diverged` or `weights_not_finite` for NaN or
                infinity.
        """
        path, start, info = self._places[name]
        values = read_float_tensor(path, start, info)
        if not np.isfinite(values).all():
            raise not_finite(path.parent, name)
        return values

    def dtype(self, name: str) -> str:
        """Return the number format that a tensor is stored in, by its safetensors name."""
        return self._places[name][2].dtype

    def stored(self, name: str) -> np.ndarray:
        """Return a tensor as the file has it, mapped: read page by page when it is used, copied where it is changed."""
        path, start, info = self._places[name]
        raw = self._bytes_of(path)[start + info.start : start + info.end]
        if len(raw) != info.end - info.start:
            raise ModelFileError("safetensors_invalid", path=str(path), reason="cut_off", detail=name)
        values = raw.view(_KINDS[info.dtype]).reshape(info.shape)
        return values if values.flags.aligned else values.copy()

    def blocks(self, name: str) -> Blocks | None:
        """Return a matrix in blocks made of its numbers; None when its rows fit no block. Raises as `read`."""
        return matrix_in_blocks(name, self.read(name))

    def _bytes_of(self, path: Path) -> np.ndarray:
        mapped = self._mapped.get(path)
        if mapped is None:
            self._mapped[path] = mapped = np.memmap(path, dtype=np.uint8, mode="c")
        return mapped


def _tied_names(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """Return the embedding's name for an output projection that is stored without an embedding; else nothing.

    An embedding has one of the common names, or stands outside of the layers in the projection's shape.
    """
    heads = [name for name in shapes if HEAD_NAME.fullmatch(name)]
    layer = next((found for name in shapes if (found := LAYER_NAME.search(name))), None)
    if len(heads) != 1 or layer is None:
        return {}
    outer = [name for name in shapes if name != heads[0] and not LAYER_NAME.search(name)]
    if any(EMBEDDING_NAME.search(name) or shapes[name] == shapes[heads[0]] for name in outer):
        return {}
    module = layer.string[: layer.start()]
    leaf = _EMBEDDING_OF.get(module, "embed_tokens")
    return {heads[0]: f"{module}.{leaf}.weight" if module else f"{leaf}.weight"}


def weight_files(folder: Path) -> list[Path]:
    """Return a folder's safetensors files; raises ModelFileError when there are none or a shard is missing."""
    if (folder / MODEL_WEIGHTS).is_file():
        return [inside(folder, MODEL_WEIGHTS)]
    if not (folder / MODEL_INDEX).is_file():
        pickles = sorted(path.name for path in folder.glob("pytorch_model*.bin"))
        if pickles:
            raise ModelFileError("pickle_weights", path=str(folder), files=", ".join(pickles[:5]))
        raise ModelFileError("model_weights_not_found", path=str(folder))
    places = read_json_object(inside(folder, MODEL_INDEX)).get("weight_map")
    names = sorted({str(name) for name in places.values()}) if isinstance(places, dict) else []
    if not names or any(Path(name).name != name or not name.endswith(".safetensors") for name in names):
        raise ModelFileError("model_shards_invalid", path=str(folder), detail=", ".join(map(ascii, names[:5])))
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        files, count = ", ".join(missing[:5]), len(missing)
        raise ModelFileError("model_shards_missing", path=str(folder), files=files, count=count)
    return [inside(folder, name) for name in names]
