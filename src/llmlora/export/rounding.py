"""Is a large difference of an F16, BF16 or Q8_0 file only rounding, or a mistake?

Both the stored weights and, in llama.cpp's CPU kernels, the values computed from them are rounded to the file's number
format. On a model with sharp predictions that alone can exceed the limit. So the same header with the trained weights
in float32 is run: if that file gives the trained answers, and the weights of the file under test are exactly the
rounded ones, then nothing but the number format differs. What that costs is told by the taught answers, as for every
coarser type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.core.publish import sha256_json
from llmlora.export.check import Check, within
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.conversion import ConvertedTensor
from llmlora.gguf.writer import FILE_TYPES, encode_float

# Rounding is believed to be the reason up to this KL only. Right Q8_0 files of Gemma 3 270M were at 0.016 to 0.049;
# one that is as far off as Q4_K_M files are (0.24 and more) is not believed.
ROUNDED_TYPES = {"F16": 1e-4, "BF16": 1e-2, "Q8_0": 0.2}
# llama.cpp looks GELU up in a table of float16 values, which rounds even in a float32 file.
GELU_ARCHITECTURES = ("gemma", "gemma2", "gemma3", "gpt2", "gptneox")
# Measured on random models of all architectures, weights up to three times the usual size, where F16 files differ by
# up to 0.4: at most 3.5e-4 without GELU, 1.4e-2 with it, KL 1.4e-6.
EXACT_LIMITS = {"max_diff": 5e-3, "kl": 1e-5}
EXACT_LIMITS_GELU = {"max_diff": 2e-2, "kl": 1e-5}


def exact_limits(header: GgufHeader) -> dict[str, float]:
    """Return the limits of a float32 file of this architecture."""
    is_gelu = header.metadata.get("general.architecture") in GELU_ARCHITECTURES
    return EXACT_LIMITS_GELU if is_gelu else EXACT_LIMITS


def may_be_rounding(checks: Sequence[Check], quantization: str) -> bool:
    """Tell whether rounding alone may be why a file fails: its weights are right, and KL is as the type lets expect."""
    if quantization not in ROUNDED_TYPES or not any(check.check == "tensors" and check.ok for check in checks):
        return False
    failures = [check for check in checks if check.check == "logprobs" and check.cause == "weights"]
    return any(check.measured["kl"] < ROUNDED_TYPES[quantization] for check in failures)


def write_float32_twin(path: Path, tensors: Sequence[ConvertedTensor], output: Path) -> None:
    """Write `output` with the header of `path` and the trained weights unrounded."""
    header = read_gguf_header(path)
    metadata = {**header.metadata, "general.file_type": FILE_TYPES["F32"]}
    metadata.pop("general.alignment", None)
    write_container(output, metadata, [float32_plan(tensor) for tensor in tensors], header.value_types)


def float32_plan(tensor: ConvertedTensor) -> TensorPlan:
    """Return how a tensor is written unrounded."""
    return TensorPlan(tensor.name, tensor.shape, "F32", lambda: encode_float(tensor.name, tensor.read(), "F32"))


def twin_key(header: GgufHeader) -> str:
    """Return a digest of all of a header that its float32 twin shares: everything but the file type."""
    return sha256_json({**header.metadata, "general.file_type": None})


def judged(
    checks: Sequence[Check], quantization: str, twin: Mapping[str, Any], limits: Mapping[str, float]
) -> list[Check]:
    """Return the checks with `logprobs` judged again: the distances of the float32 twin are held to `limits`.

    It passes with `rounding` naming the number format that explains the difference, or fails as before.
    """
    return [_judged(check, quantization, twin, limits) if check.check == "logprobs" else check for check in checks]


def _judged(check: Check, quantization: str, twin: Mapping[str, Any], limits: Mapping[str, float]) -> Check:
    exact = {f"float32_{name}": twin[name] for name in limits}
    exact_limits = {f"float32_{name}": limit for name, limit in limits.items()}
    again = within("logprobs", "weights", {**check.measured, **exact}, exact_limits)
    if again.ok:
        again = replace(again, measured={**again.measured, "rounding": quantization})
    return replace(again, limits={**check.limits, **exact_limits})
