"""Checks that read an exported file without running it: header, keys, vocabulary, tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.core.errors import ModelFileError
from llmlora.export.check import Check, failed, passed, what_failed
from llmlora.export.reference import Reference
from llmlora.gguf.architectures import architecture_of
from llmlora.gguf.conversion import ConvertedTensor
from llmlora.gguf.reader import read_tensor
from llmlora.gguf.writer import FILE_TYPES

REQUIRED_KEYS = (
    "general.architecture", "general.name", "general.file_type", "tokenizer.ggml.model", "tokenizer.ggml.tokens",
    "tokenizer.ggml.token_type", "tokenizer.ggml.eos_token_id", "tokenizer.chat_template",
)  # fmt: skip
REQUIRED_MODEL_KEYS = ("block_count", "context_length", "embedding_length", "attention.head_count")
# Root mean square error of a tensor relative to its own, about twice what each type costs on Gaussian weights.
COARSEST = 0.65
MOVED_ROWS = 0.3  # error from which rows may be elsewhere: exchanged rows differ as two unrelated ones, by about 1.4
PIECE = 1 << 22  # values compared at once
RMSE_LIMITS = {
    "F32": 0.0, "F16": 0.0, "BF16": 0.0, "Q8_0": 0.02, "Q6_K": 0.05, "Q5_1": 0.1, "Q5_0": 0.1, "Q5_K": 0.08,
    "Q4_1": 0.2, "Q4_0": 0.2, "Q4_K": 0.15, "Q3_K": 0.32, "Q2_K": COARSEST,
}  # fmt: skip


def check_file(path: Path, quantization: str, reference: Reference, config: Mapping[str, Any]) -> Check:
    """Read the header strictly and compare keys, vocabulary, end token, template and rotary settings."""
    try:
        header = read_gguf_header(path)
    except ModelFileError as error:
        return failed("file", "header", what_failed(error), {})
    measured = {"num_tensors": len(header.tensors), "size_bytes": path.stat().st_size}
    problem = (
        _missing_key(header)
        or _wrong_file_type(header, quantization)
        or _wrong_vocabulary(header, reference)
        or _wrong_end_token(header, reference)
        or _wrong_template(header, reference)
        or _wrong_rope(header, config)
        or _wrong_setting(header, config)
    )
    if problem is None:
        return passed("file", measured)
    return failed("file", problem[0], problem[1], measured)


def _missing_key(header: GgufHeader) -> tuple[str, str] | None:
    architecture = header.metadata.get("general.architecture")
    needed = [*REQUIRED_KEYS, *(f"{architecture}.{name}" for name in REQUIRED_MODEL_KEYS)]
    missing = [key for key in needed if key not in header.metadata]
    if not missing:
        return None
    cause = "end_token" if "tokenizer.ggml.eos_token_id" in missing else "missing_key"
    return cause, ", ".join(missing)


def _wrong_file_type(header: GgufHeader, quantization: str) -> tuple[str, str] | None:
    expected, found = FILE_TYPES.get(quantization), header.metadata["general.file_type"]
    return None if expected == found else ("file_type", f"{expected} != {found}")


def _wrong_vocabulary(header: GgufHeader, reference: Reference) -> tuple[str, str] | None:
    tokens = list(header.metadata["tokenizer.ggml.tokens"])
    if len(set(tokens)) != len(tokens):
        return "duplicate_tokens", str(len(tokens) - len(set(tokens)))
    if len(tokens) < len(reference.vocabulary):
        return "vocabulary", f"{len(reference.vocabulary)} != {len(tokens)}"
    for index, expected in reference.vocabulary.items():
        if index >= len(tokens) or tokens[index] != expected:
            return "vocabulary", f"{index}: {expected!r} != {tokens[index] if index < len(tokens) else None!r}"
    return None


def _wrong_end_token(header: GgufHeader, reference: Reference) -> tuple[str, str] | None:
    found = header.metadata["tokenizer.ggml.eos_token_id"]
    if found == reference.turn_end_id:
        return None
    return "end_token", f"{reference.turn_end_id} != {found}"


def _wrong_template(header: GgufHeader, reference: Reference) -> tuple[str, str] | None:
    if header.metadata["tokenizer.chat_template"] == reference.template_text:
        return None
    return "template", "tokenizer.chat_template"


def _wrong_rope(header: GgufHeader, config: Mapping[str, Any]) -> tuple[str, str] | None:
    expected = rope_theta(config)
    key = f"{header.metadata['general.architecture']}.rope.freq_base"
    found = header.metadata.get(key)
    if expected is None or (found is not None and math.isclose(found, expected, rel_tol=1e-6)):
        return None
    return "rope", f"{key}: {expected} != {found}"


def _wrong_setting(header: GgufHeader, config: Mapping[str, Any]) -> tuple[str, str] | None:
    for key, expected in architecture_of(config).keys(config).items():
        found = header.metadata.get(key)
        if isinstance(expected, float) and isinstance(found, float) and math.isclose(found, expected, rel_tol=1e-6):
            continue  # the file holds float32
        if found != expected:
            return ("rope" if ".rope." in key else "settings"), f"{key}: {expected} != {found}"
    return None


def rope_theta(config: Mapping[str, Any]) -> float | None:
    """Return the base frequency of the (global) rotary embedding that a `config.json` states, in either schema."""
    parameters = config.get("rope_parameters") or {}
    if "full_attention" in parameters:
        parameters = parameters["full_attention"]
    theta = parameters.get("rope_theta", config.get("rope_theta"))
    return None if theta is None else float(theta)


def check_tensors(path: Path, tensors: Sequence[ConvertedTensor]) -> Check:
    """Compare every tensor with the trained model's: exact in F32, F16 and BF16, within the type's bound else."""
    header = read_gguf_header(path)
    kinds = {tensor.name: tensor.ggml_type for tensor in header.tensors}
    measured: dict[str, Any] = {"num_tensors": len(kinds), "max_relative_rmse": 0.0}
    unequal = sorted({tensor.name for tensor in tensors} ^ set(kinds))
    if unequal:
        return failed("tensors", "tensor_names", ", ".join(unequal[:5]), measured)
    for tensor in tensors:
        kind = kinds[tensor.name]
        values, expected = read_tensor(path, header, tensor.name), tensor.read()
        if values.shape != expected.shape:
            return failed("tensors", "tensor_shape", f"{tensor.name}: {expected.shape} != {values.shape}", measured)
        if not np.isfinite(values).all():
            return failed("tensors", "not_finite", tensor.name, measured)
        limit = RMSE_LIMITS.get(kind, COARSEST)
        error = relative_rmse(values, expected, kind)
        measured["max_relative_rmse"] = max(measured["max_relative_rmse"], error)
        if error > limit:
            is_moved = error > MOVED_ROWS and _is_reordered(values, expected, limit)
            cause = "row_order" if is_moved else "values"
            return failed("tensors", cause, f"{tensor.name} ({kind}): {error:.3g}", measured)
    return passed("tensors", measured)


def relative_rmse(values: np.ndarray, expected: np.ndarray, kind: str = "F32") -> float:
    """Return the root mean square of the difference over that of `expected`; the plain one where that is 0.

    `expected` is rounded to `kind` (F16, BF16) first. Works in pieces: the largest tensors are as large as a memory.
    """
    flat_values, flat_expected = values.reshape(-1), expected.reshape(-1)
    difference = scale = 0.0
    for start in range(0, flat_expected.size, PIECE):
        right = _rounded_like(flat_expected[start : start + PIECE], kind)
        difference += float(np.square(flat_values[start : start + PIECE] - right, dtype=np.float64).sum())
        scale += float(np.square(right, dtype=np.float64).sum())
    if scale > 0:
        return math.sqrt(difference / scale)
    return math.sqrt(difference / max(1, flat_expected.size))


def _rounded_like(expected: np.ndarray, kind: str) -> np.ndarray:
    if kind == "F16":
        return expected.astype(np.float16).astype(np.float32)
    if kind == "BF16":
        bits = np.ascontiguousarray(expected, dtype=np.float32).view(np.uint32)
        nearest = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16 << 16
        return nearest.astype(np.uint32).view(np.float32)
    return expected


def _is_reordered(values: np.ndarray, expected: np.ndarray, limit: float) -> bool:
    """Tell whether the rows are right but in another order, as when heads are permuted wrongly."""
    if values.ndim != 2:
        return False
    sums, expected_sums = np.sort(np.linalg.norm(values, axis=1)), np.sort(np.linalg.norm(expected, axis=1))
    return relative_rmse(sums, expected_sums) <= max(limit, 1e-3)
