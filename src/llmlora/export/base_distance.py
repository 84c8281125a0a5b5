"""What writing a model in a type does to the untouched base: the measure for a tuned model's larger differences.

Tuned models are sharper, so the same rounding moves their probabilities further; and llama.cpp rounds what it computes,
by a table of 16-bit numbers where the model has GELU and to 8 bits where weights are quantised. How far that goes on a
model nobody has touched is known exactly, for its own transformers reference is at hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.export.check import Check, within
from llmlora.export.file_checks import FilePlan
from llmlora.gguf.backends import backend_for
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.conversion import ConvertedTensor, convert_tensors
from llmlora.gguf.writer import encode_float
from llmlora.inference.trained_job import TrainedJob

# A tuned model may be this many times as far off as its base. Measured: docs/adr/0009-verdict-by-facts.md.
SHARPER = 4.0
VALUES_AT_ONCE = 1 << 22
TWIN = "float32_"  # what rounding.py puts before the values of a float32 twin


def write_base(trained: TrainedJob, plan: FilePlan, output: Path) -> None:
    """Write the untouched base, which must be at hand, as `output` with the types of `plan`, straight from float32.

    `plan` is what a file of the trained model says, which is the base's as well.
    """
    base = trained.untouched_base
    assert base is not None
    tensors = convert_tensors(base.source, trained.model_config)
    write_container(output, plan.metadata, [_plan(tensor, plan.tensor_types[tensor.name]) for tensor in tensors])


def _plan(tensor: ConvertedTensor, kind: str) -> TensorPlan:
    return TensorPlan(tensor.name, tensor.shape, kind, lambda: _encoded(tensor, kind))


def _encoded(tensor: ConvertedTensor, kind: str) -> Iterator[np.ndarray]:
    backend = backend_for(kind)
    if backend is None:
        yield from encode_float(tensor.name, tensor.read(), kind)
        return
    values = tensor.read()
    step = max(1, VALUES_AT_ONCE // values.shape[-1])
    for start in range(0, len(values), step):
        yield backend[1](values[start : start + step], kind)


def base_type(check: Check, quantization: str | None) -> str | None:
    """Return the type to write the base in where its own distance decides about a failed check; None where it does not.

    Only what is known to be rounding is judged so: a Q8_0 file, an adapter on a float32 base (no quantization), and the
    float32 twin of a file whose weights are proved.
    """
    if check.ok or check.check != "logprobs" or not check.limits:
        return None
    if quantization == "Q8_0":
        return quantization
    return "F32" if quantization is None or any(name.startswith(TWIN) for name in check.limits) else None


def judged_by_base(check: Check, base: Mapping[str, Any]) -> Check:
    """Return a check judged again: a value may be SHARPER times the base's own.

    A base that exceeds the limit itself shows a mistake in how both were written, and lifts no limit.
    """
    names = [name for name in check.limits if name.startswith(TWIN)] or list(check.limits)
    own = {name: float(base[name.removeprefix(TWIN)]) for name in names}
    limits = {
        name: max(check.limits[name], SHARPER * value) if value < check.limits[name] else check.limits[name]
        for name, value in own.items()
    }
    measured = {**check.measured, **{f"base_{name.removeprefix(TWIN)}": value for name, value in own.items()}}
    again = within("logprobs", check.cause or "weights", measured, limits)
    return replace(again, limits={**check.limits, **limits})
