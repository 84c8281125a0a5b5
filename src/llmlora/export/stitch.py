"""A stitched file: the base's own GGUF file, in which only the tensors are rewritten that training changed.

All others are copied byte for byte, and so is what the file says of itself, save how the trained model is asked; where
all weights were trained, that is all that is the base's. The parts of a split base become one file. Values
that already sit on a quantiser's grid snap back to it, so a changed tensor never simply gets the base's own type again:
Q8_0, or a smaller one where most of what training changed is measured to survive in it; F16 where even Q8_0 swallows
it, as on a base that is Q8_0 itself.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_files import GgufFiles, read_gguf_files
from llmlora.catalog.gguf_header import GgufTensor
from llmlora.core.errors import ConfigError, ExportError, ModelFileError
from llmlora.export.merge import base_tensors
from llmlora.export.update_check import LIMIT
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import dequantize_rows, round_bfloat16, widen_bfloat16
from llmlora.gguf.container import OnProgress, TensorPlan, tensor_bytes, write_container
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.mix import DEFAULT_TYPES, FLOAT_TYPES, fitting_type
from llmlora.gguf.quantize import plan_tensor
from llmlora.gguf.reader import read_values
from llmlora.gguf.source import TensorSource
from llmlora.gguf.tokenizer import name_suffix
from llmlora.gguf.writer import FILE_TYPES, QUANTIZATION_VERSION
from llmlora.inference.trained_job import TrainedJob
from llmlora.prepare.asking import chat_format

SAFE_TYPE = "Q8_0"
OWN_TYPE = "base"  # asked for in place of a type: the one that the base's tensor has
STITCH_TYPES = (SAFE_TYPE, "Q6_K", "Q5_K", "Q4_K", OWN_TYPE)
_COPIED_AT_ONCE = 1 << 24  # bytes
_OF_THE_FILE = ("general.alignment", "split.")  # keys that do not speak of the model
_MIX_OF = {kind: mix for mix, kind in DEFAULT_TYPES.items() if mix != "Q4_K_S"}


@dataclass(frozen=True)
class Stitch:
    """What to stitch: the base's file or one part of it, and the type of rewritten tensors (one of STITCH_TYPES)."""

    path: Path
    wanted: str = SAFE_TYPE


@dataclass(frozen=True)
class StitchPlan:
    """A stitched file before it is written: the base's files, and which tensors are not the base's.

    `types` are those of all tensors; `shares` say how much of what training changed would survive in the asked type,
    of those tensors for which that was measured.
    """

    base: Path
    files: GgufFiles
    metadata: Mapping[str, Any]
    rewritten: Mapping[str, ConvertedTensor]
    types: Mapping[str, str]
    shares: Mapping[str, float]

    @property
    def num_bytes(self) -> int:
        """Bytes of the file, exact but for a few of its header."""
        shapes = {name: tensor.shape for name, (_, tensor) in self.files.places.items()}
        shapes |= {name: tensor.shape for name, tensor in self.rewritten.items()}
        return self.files.headers[0].data_offset + sum(
            tensor_bytes(shape, self.types[name]) for name, shape in shapes.items()
        )

    def write(self, output: Path, on_progress: OnProgress | None = None) -> None:
        """Write the file, with one tensor in memory; the caller publishes it."""
        plans = [self._plan(name) for name in dict.fromkeys((*self.files.places, *self.rewritten))]
        write_container(output, self.metadata, plans, self.files.headers[0].value_types, on_progress)

    def summary(self) -> dict[str, Any]:
        """Return the numbers of tensors and what was measured of them, for `meta.json`."""
        refused = [share for share in self.shares.values() if share < LIMIT]
        return {
            "base": str(self.base),
            "num_rewritten": len(self.rewritten),
            "num_copied": len(self.types) - len(self.rewritten),
            "types": dict(Counter(self.types[name] for name in self.rewritten)),
            "num_measured": len(self.shares),
            "num_refused": len(refused),
            "refused_share": sum(refused) / len(refused) if refused else None,
        }

    def _plan(self, name: str) -> TensorPlan:
        changed = self.rewritten.get(name)
        if changed is not None:
            return plan_tensor(changed, self.types[name])
        path, tensor = self.files.places[name]
        return TensorPlan(name, tensor.shape, tensor.ggml_type, partial(iter_bytes, path, tensor))


def iter_bytes(path: Path, tensor: GgufTensor) -> Iterator[np.ndarray]:
    """Yield a tensor's bytes as they lie in a file, piece by piece."""
    for start in range(0, tensor.num_bytes, _COPIED_AT_ONCE):
        count = min(_COPIED_AT_ONCE, tensor.num_bytes - start)
        yield np.fromfile(path, np.uint8, count, offset=tensor.offset + start)


def check_stitch_type(wanted: str) -> None:
    """Raise ConfigError for a type that rewritten tensors cannot have."""
    if wanted not in STITCH_TYPES:
        raise ConfigError("unknown_stitch_type", name=wanted, known=", ".join(STITCH_TYPES))


def find_stitch(trained: TrainedJob, given: Path | None, wanted: str) -> Stitch:
    """Return what to stitch: the file that was trained on, else the given one, which must hold the same weights.

    Raises:
        ConfigError: unknown type, or the base is a folder and no file is given.
        ExportError: the given file holds other weights than the base. NotFound: the base is gone.
    """
    check_stitch_type(wanted)
    own = trained.base.path
    if own.is_file():
        return Stitch(own, wanted)
    if given is None:
        raise ConfigError("stitch_needs_gguf", path=str(own))
    _check_same_weights(trained, given)
    return Stitch(given, wanted)


def _check_same_weights(trained: TrainedJob, path: Path) -> None:
    """Raise ExportError where a file's values are not the base's, which may be rounded to 16 bits."""
    places = read_gguf_files(path).places
    for tensor in convert_tensors(trained.base.source, trained.base.config):
        place, found = places.get(tensor.name, (path, None))
        if found is None or found.shape != tensor.shape:
            raise ExportError("stitch_other_base", path=str(path), name=tensor.name)
        if not _is_same(read_values(place, found), tensor.read()):
            raise ExportError("stitch_other_base", path=str(path), name=tensor.name)


def _is_same(file: np.ndarray, base: np.ndarray) -> bool:
    values = np.ascontiguousarray(file, dtype=np.float32)
    if np.array_equal(values, base) or np.array_equal(values.astype(np.float16).astype(np.float32), base):
        return True
    return np.array_equal(widen_bfloat16(round_bfloat16(values)), base)


def plan_stitch(
    trained: TrainedJob, source: TensorSource, config: Mapping[str, Any], stitch: Stitch, on_step: Callable[[], None]
) -> StitchPlan:
    """Decide which tensors are rewritten and in which type; `source` and `config` are the merged weights.

    `on_step` is called for each tensor that is measured; what it raises ends the work.

    Raises:
        ExportError: `stitch_other_base`, the file has not the tensors that were trained.
    """
    files = read_gguf_files(stitch.path)
    tensors = convert_tensors(source, config)
    before = base_tensors(trained, source, config, tensors) or {}
    rewritten = {tensor.name: tensor for tensor in tensors if tensor.name in before}
    stored = {name: tensor for name, (_, tensor) in files.places.items()}
    missing = [tensor.name for tensor in tensors if tensor.name not in stored and tensor.name not in rewritten]
    moved = [name for name, tensor in rewritten.items() if name in stored and stored[name].shape != tensor.shape]
    if missing or moved:
        raise ExportError("stitch_other_base", path=str(stitch.path), name=[*missing, *moved][0])
    types = {name: tensor.ggml_type for name, tensor in stored.items()}
    shares: dict[str, float] = {}
    for name, tensor in rewritten.items():
        on_step()
        types[name] = _chosen_type(tensor, before[name], types.get(name), stitch.wanted, shares)
    metadata = _metadata(trained, files, types, rewritten)
    return StitchPlan(stitch.path, files, metadata, rewritten, types, shares)


def _chosen_type(
    tensor: ConvertedTensor, base: ConvertedTensor, own: str | None, wanted: str, shares: dict[str, float]
) -> str:
    """Return the type of a rewritten tensor: the asked one, else Q8_0, else F16; the share of the asked one is noted.

    What the base does not have quantised keeps its own type, in which nothing snaps back. Q8_0 is fine enough for what
    was on a coarser grid, and is measured only where the base is on its own.
    """
    if own in FLOAT_TYPES:
        return own
    asked = fitting_type((own or SAFE_TYPE) if wanted == OWN_TYPE else wanted, tensor.shape[-1])
    for kind in dict.fromkeys((asked, fitting_type(SAFE_TYPE, tensor.shape[-1]))):
        if kind in FLOAT_TYPES or (kind == SAFE_TYPE and own != SAFE_TYPE):
            return kind
        if backend_for(kind) is None:
            continue
        share = surviving_share(tensor.read(), base.read(), kind)
        shares.setdefault(tensor.name, share)
        if share >= LIMIT:
            return kind
    return "F16"


def surviving_share(trained: np.ndarray, base: np.ndarray, kind: str) -> float:
    """Return how much of a change is left after quantising: <written - base, change> / <change, change>."""
    backend = backend_for(kind)
    assert backend is not None
    along = total = 0.0
    step = max(1, _COPIED_AT_ONCE // 4 // trained.shape[-1])
    for start in range(0, len(trained), step):
        rows, before = trained[start : start + step], base[start : start + step]
        written = dequantize_rows(np.ascontiguousarray(backend[1](rows, kind)).reshape(-1), kind)
        change = (rows - before).reshape(-1)
        along += float(np.dot(written - before.reshape(-1), change))
        total += float(np.dot(change, change))
    return along / total if total else 1.0


def _metadata(
    trained: TrainedJob, files: GgufFiles, types: Mapping[str, str], rewritten: Mapping[str, ConvertedTensor]
) -> dict[str, Any]:
    """Return the base's keys with ours: how the trained model is asked, and where the file comes from."""
    chat = chat_format(trained.template)
    kept = {key: value for key, value in files.metadata.items() if not key.startswith(_OF_THE_FILE)}
    return {
        **kept,
        "general.name": trained.gguf_name + name_suffix(trained.result_dir),
        "general.file_type": _file_type(files, types, rewritten),
        "general.quantization_version": QUANTIZATION_VERSION,
        "tokenizer.chat_template": chat.template,
        "tokenizer.ggml.eos_token_id": chat.turn_end_id,
        "tokenizer.ggml.eot_token_id": chat.turn_end_id,
        "llmlora.job_id": trained.job.id,
        "llmlora.base_sha256": files.digest,
    }


def _file_type(files: GgufFiles, types: Mapping[str, str], rewritten: Mapping[str, ConvertedTensor]) -> int:
    """Return the number that a program shows as the file's quantization: that of the type most values have."""
    sizes: Counter[str] = Counter()
    for _, tensor in files.places.values():
        sizes[types[tensor.name]] += math.prod(tensor.shape)
    most = sizes.most_common(1)[0][0]
    is_ours = any(types[name] == most for name in rewritten)
    if not is_ours and "general.file_type" in files.metadata:
        return int(files.metadata["general.file_type"])
    return FILE_TYPES[_MIX_OF.get(most, SAFE_TYPE)]


def read_stitch(meta: Mapping[str, Any]) -> Stitch | None:
    """Return what the record of an export says of its stitched file; raises ModelFileError when that base is gone."""
    record = meta.get("stitch")
    if record is None:
        return None
    path = Path(record["base"])
    if not path.is_file():
        raise ModelFileError("stitch_base_gone", path=str(path))
    return Stitch(path, str(record["wanted"]))
