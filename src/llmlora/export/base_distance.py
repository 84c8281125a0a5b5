"""What writing a model in a type does to the untouched base: the measure for a tuned model's larger differences.

Tuned models are sharper, so the same rounding moves their probabilities further; and llama.cpp rounds what it computes,
by a table of 16-bit numbers where the model has GELU and to 8 bits where weights are quantised. How far that goes on a
model nobody has touched is known exactly, for its own transformers reference is at hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmlora.core.layout import STITCHED
from llmlora.export.check import Check, within
from llmlora.export.file_checks import FilePlan
from llmlora.gguf.container import write_container
from llmlora.gguf.conversion import convert_tensors
from llmlora.gguf.quantize import plan_tensor
from llmlora.inference.trained_job import TrainedJob

# A tuned model may be this many times as far off as its base. Measured: docs/adr/0009-verdict-by-facts.md.
SHARPER = 4.0
TWIN = "float32_"  # what rounding.py puts before the values of a float32 twin


def write_base(trained: TrainedJob, plan: FilePlan, output: Path) -> None:
    """Write the untouched base, which must be at hand, as `output` with the types of `plan`, straight from float32.

    `plan` is what a file of the trained model says, which is the base's as well.
    """
    base = trained.untouched_base
    assert base is not None
    tensors = convert_tensors(base.source, trained.model_config)
    write_container(output, plan.metadata, [plan_tensor(tensor, plan.tensor_types[tensor.name]) for tensor in tensors])


def base_type(check: Check, quantization: str | None) -> str | None:
    """Return the type to write the base in where its own distance decides about a failed check; None where it does not.

    Only what is known to be rounding is judged so: a stitched file (whose base is a file already), an adapter on a
    float32 base (no quantization), and the float32 twin of a file whose weights are proved.
    """
    if check.ok or check.check != "logprobs" or not check.limits:
        return None
    if quantization == STITCHED:
        return STITCHED
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
