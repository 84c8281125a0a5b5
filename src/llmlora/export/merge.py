"""Merge an adapter into its base: the trained model as one stream of float32 tensors, and as a model folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.core.errors import Conflict, ExportError, ModelFileError
from llmlora.core.publish import publishing_dir
from llmlora.export.adapter import Adapter
from llmlora.export.model_folder import copy_companions, item_size, model_dtype, write_model_folder
from llmlora.export.sizes import check_room
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors, converted_from
from llmlora.gguf.source import TensorSource, float32_bytes
from llmlora.inference.streamed_model import stored_name
from llmlora.inference.trained_job import TrainedJob, find_trained

OnProgress = Callable[[int, int], None]


def check_output_free(output: Path) -> None:
    """Raise Conflict when `output` exists and is not an empty folder."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise Conflict("output_not_empty", path=str(output))


class MergedSource:
    """The tensors of base + adapter; implements `gguf.source.TensorSource`, holding one tensor at a time."""

    def __init__(self, base: TensorSource, adapter: Adapter) -> None:
        self._base = base
        self._adapter = adapter
        base_names = base.names()
        self._base_name = {name: stored_name(name, base_names) for name in adapter.weight_names}
        self._changed = {stored: name for name, stored in self._base_name.items() if stored}
        self._names = [name for name in base_names if not self._is_shadow(name)]
        self._head = self._untied_head()
        if self._head and self._head not in self._names:
            self._names.append(self._head)
        homeless = [name for name, stored in self._base_name.items() if not stored and name != adapter.output_head]
        if homeless:
            raise ExportError("adapter_base_mismatch", names=", ".join(sorted(homeless)[:5]))

    def names(self) -> list[str]:
        """Return the tensor names, in the base's order."""
        return list(self._names)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a tensor; merging never changes it."""
        return tuple(self._base.shape(self._source_of(name)))

    def read(self, name: str) -> np.ndarray:
        """Return the merged float32 tensor."""
        weight = self._base.read(self._source_of(name))
        if name == self._head:
            return self._adapter.apply(self._adapter.output_head, weight)
        return self._adapter.apply(self._changed.get(name, name), weight)

    @property
    def unties(self) -> bool:
        """True when input embedding and output projection are no longer one tensor."""
        return self._adapter.unties

    @property
    def changed_names(self) -> set[str]:
        """Names of the tensors that the adapter changes."""
        return {*self._changed, self._head} - {""}

    @property
    def unchanged(self) -> TensorSource:
        """The base's tensors under the names of the merged ones."""
        return _Unchanged(self)

    def read_base(self, name: str) -> np.ndarray:
        """Return the base's tensor that `name` was made of."""
        return np.asarray(self._base.read(self._source_of(name)))

    def _source_of(self, name: str) -> str:
        if name == self._head and name not in self._base.names():
            return stored_name(self._adapter.embedding, self._base.names())
        return name

    def _untied_head(self) -> str:
        return self._adapter.output_head if self._adapter.unties else ""

    def _is_shadow(self, name: str) -> bool:
        """Tell whether a stored tensor is only a copy of the tied embedding that merging would leave behind."""
        head = self._adapter.output_head
        return name == head and self._adapter.config.ensure_weight_tying and head != self._adapter.embedding


class _Unchanged:
    """The base behind a `MergedSource`; implements `TensorSource`."""

    def __init__(self, merged: MergedSource) -> None:
        self.names, self.shape, self.read = merged.names, merged.shape, merged.read_base


def base_tensors(
    trained: TrainedJob, source: TensorSource, config: Mapping[str, Any], tensors: Sequence[ConvertedTensor]
) -> dict[str, ConvertedTensor] | None:
    """Return the base's tensors, by GGUF name, of those in `tensors` that training may have changed.

    None when all weights were trained and the base is gone: exporting does not need it, only comparing with it.
    """
    if isinstance(source, MergedSource):
        changed = [tensor for tensor in tensors if tensor.source_name in source.changed_names]
        return converted_from(changed, source.unchanged, config)
    base = trained.untouched_base
    if base is None:
        return None
    try:
        found = convert_tensors(base.source, base.config)
    except (ExportError, ModelFileError):
        return None
    return {tensor.name: tensor for tensor in found if tensor.source_name}


def trained_source(trained: TrainedJob) -> tuple[TensorSource, dict[str, Any]]:
    """Return the trained model's tensors and the `config.json` that fits them."""
    config = trained.model_config
    if trained.adapter_dir is None:
        return trained.weights.source, config
    merged = MergedSource(trained.base.source, Adapter(trained.adapter_dir, trained.base))
    if merged.unties:
        config["tie_word_embeddings"] = False
    return merged, config


def merge_model(
    job_dir: Path,
    output: Path,
    dtype: str | None = None,
    moved_base: Path | None = None,
    on_progress: OnProgress | None = None,
) -> dict[str, Any]:
    """Write base + adapter as one Hugging Face folder at `output`, which must not exist or be empty.

    `dtype` (float32, float16, bfloat16) defaults to the base's; `moved_base` says where that lies now if it moved.
    Returns `output`, `dtype`, `num_tensors`, `size_bytes`, `max_abs_error` (largest rounding of a weight) and `files`.

    Raises:
        Conflict: `output` exists and is not empty.
        DiskFull: there is not enough room, known before anything is written.
        ModelFileError: the weights diverged in training.
        ExportError: the adapter cannot be merged exactly, or `dtype` cannot hold a weight.
    """
    check_output_free(output)
    trained = find_trained(job_dir, moved_base)
    source, config = trained_source(trained)
    chosen = dtype or model_dtype(trained.weights)
    check_room(output, float32_bytes(source) * item_size(chosen) // 4)
    manifest = {"job": trained.job.id, "base_digest": trained.job.base_digest}
    try:
        with publishing_dir(output, manifest, existing="refuse") as folder:
            report = write_model_folder(source, config, folder, chosen, on_progress)
            copy_companions(trained, folder)
    except FileExistsError as error:
        raise Conflict("output_not_empty", path=str(output)) from error
    files = sorted(entry.name for entry in output.iterdir())
    return {"output": str(output), "dtype": chosen, **report, "files": files}
