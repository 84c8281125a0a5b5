"""Checks of a stitched file's tensors: what training changed within its type's bounds, all else the base's bytes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_header import GgufTensor, read_gguf_header
from llmlora.export.check import Check, failed, passed
from llmlora.export.stitch import StitchPlan, iter_bytes
from llmlora.export.tensor_checks import compare_tensor
from llmlora.export.update_check import UpdateShares, update_check
from llmlora.gguf.conversion import ConvertedTensor


def check_stitched(path: Path, plan: StitchPlan, base: Mapping[str, ConvertedTensor]) -> list[Check]:
    """Compare every tensor of a stitched file; `base` holds the untouched values of the rewritten ones."""
    stored = {tensor.name: tensor for tensor in read_gguf_header(path).tensors}
    measured: dict[str, Any] = {"num_tensors": len(stored), "max_relative_rmse": 0.0, "max_scale_error": 0.0}
    measured["num_copied"] = len(plan.types) - len(plan.rewritten)
    unequal = sorted(stored.keys() ^ plan.types.keys())
    if unequal:
        return [failed("tensors", "tensor_names", ", ".join(unequal[:5]), measured)]
    shares = UpdateShares()
    for name, tensor in stored.items():
        changed = plan.rewritten.get(name)
        if changed is None:
            if not _has_same_bytes(path, tensor, *plan.files.places[name]):
                return [failed("tensors", "not_copied", name, measured)]
            continue
        problem = compare_tensor(path, tensor, changed, base.get(name), measured, shares)
        if problem is not None:
            return [failed("tensors", problem[0], f"{name} {problem[1]}", measured)]
    return [passed("tensors", measured), update_check(shares)]


def _has_same_bytes(path: Path, tensor: GgufTensor, base: Path, original: GgufTensor) -> bool:
    if (tensor.shape, tensor.ggml_type) != (original.shape, original.ggml_type):
        return False
    pairs = zip(iter_bytes(path, tensor), iter_bytes(base, original), strict=True)
    return all(np.array_equal(left, right) for left, right in pairs)
