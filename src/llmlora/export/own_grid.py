"""What quantising to the types that the base already has would cost: measured on a few tensors, before any work.

Values on a type's grid snap back to it, and what training changed is lost (`stitch.surviving_share`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llmlora.catalog.gguf_files import read_gguf_files
from llmlora.export.merge import base_tensors
from llmlora.export.sizes import planned_header
from llmlora.export.stitch import surviving_share
from llmlora.export.update_check import LIMIT
from llmlora.gguf.backends import backend_for
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.quantize import planned_types
from llmlora.gguf.source import TensorSource
from llmlora.inference.trained_job import TrainedJob

NUM_MEASURED = 2  # tensors of each type: enough to tell 4 % from 80 %


@dataclass(frozen=True)
class SwallowedUpdate:
    """A quantization in which the base's own types would swallow what training changed.

    `shares` say by type how much survives, `num_tensors` how many tensors would get the type that they have.
    """

    quantization: str
    shares: Mapping[str, float]
    num_tensors: int
    num_measured: int


def swallowed_updates(
    trained: TrainedJob, source: TensorSource, config: Mapping[str, Any], quantizations: Sequence[str]
) -> Iterator[SwallowedUpdate]:
    """Yield those of the quantizations that would lose most of the training; `source` and `config` are merged."""
    base = trained.untouched_base
    if not quantizations or base is None or not base.path.is_file():
        return
    own = {name: tensor.ggml_type for name, (_, tensor) in read_gguf_files(base.path).places.items()}
    tensors = convert_tensors(source, config)
    before = base_tensors(trained, source, config, tensors) or {}
    changed = {tensor.name: tensor for tensor in tensors if tensor.name in before}
    header = planned_header(source, config, trained.result_dir)
    for quantization in quantizations:
        types = planned_types(header, quantization)
        alike = [name for name in changed if types[name] == own.get(name) and backend_for(types[name]) is not None]
        measured = {kind: _measured([name for name in alike if types[name] == kind]) for kind in set(own.values())}
        shares = {
            kind: sum(_share(changed[name], before[name], kind) for name in names) / len(names)
            for kind, names in sorted(measured.items())
            if names
        }
        if shares and min(shares.values()) < LIMIT:
            yield SwallowedUpdate(quantization, shares, len(alike), sum(len(names) for names in measured.values()))


def _measured(names: Sequence[str]) -> list[str]:
    """Return a few names of a list, spread over it."""
    step = max(1, len(names) // NUM_MEASURED)
    return list(names[::step][:NUM_MEASURED])


def _share(trained: ConvertedTensor, base: ConvertedTensor, kind: str) -> float:
    return surviving_share(trained.read(), base.read(), kind)
