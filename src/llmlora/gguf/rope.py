"""Rotary position embeddings: what the scaled kinds of `config.json` become in a GGUF file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llmlora.core.errors import ModelFileError
from llmlora.gguf.model_shape import ModelShape, setting, unsupported

# Gemma's, Llama's and NeoX's default when a config leaves it out.
DEFAULT_THETA = 10_000.0
# YaRN's further settings and the values that llama.cpp takes for granted; it does not honour others in a file.
_YARN_FIXED = {
    "beta_fast": (32,), "beta_slow": (1,), "attention_factor": (), "mscale": (), "mscale_all_dim": (),
    "truncate": (True,),
}  # fmt: skip


def rope_theta(parameters: Mapping[str, Any]) -> float:
    """Return the base frequency of rotary settings."""
    return float(setting(parameters, "rope_theta", default=DEFAULT_THETA))


def rope_type(parameters: Mapping[str, Any]) -> str:
    """Return the kind of scaling by its present name."""
    kind = str(setting(parameters, "rope_type", "type", default="default"))
    return {"su": "longrope"}.get(kind, kind)


def check_rope(parameters: Mapping[str, Any], accepted_types: Sequence[str]) -> None:
    """Refuse kinds of scaling that llama.cpp does not run, or that a GGUF file cannot express."""
    kind = rope_type(parameters)
    if kind not in accepted_types:
        raise unsupported("rope_type", kind)
    if kind != "default" and kind != "longrope" and not parameters.get("factor"):
        raise unsupported("rope_parameters.factor", parameters.get("factor"))
    for name, accepted in _YARN_FIXED.items() if kind == "yarn" else ():
        if parameters.get(name) is not None and parameters[name] not in accepted:
            raise unsupported(f"rope_parameters.{name}", parameters[name])


def rope_keys(parameters: Mapping[str, Any], shape: ModelShape) -> dict[str, Any]:
    """Return the keys behind `<architecture>.rope.`, except `freq_base` and `dimension_count`."""
    kind = rope_type(parameters)
    if kind == "linear":
        return {"scaling.type": "linear", "scaling.factor": float(parameters["factor"])}
    if kind == "yarn":
        original = int(setting(parameters, "original_max_position_embeddings", default=shape.context_length))
        factor = float(parameters["factor"])
        return {"scaling.type": "yarn", "scaling.factor": factor, "scaling.original_context_length": original}
    return {}


def longrope_original(config: Mapping[str, Any], parameters: Mapping[str, Any], shape: ModelShape) -> int:
    """Return up to which length the short factors count; older configs keep it outside the rotary settings."""
    places = (parameters, config)
    found = (place.get("original_max_position_embeddings") for place in places)
    return int(next((length for length in found if length), shape.context_length))


def longrope_keys(parameters: Mapping[str, Any], shape: ModelShape, original: int) -> dict[str, Any]:
    """Return the keys of Phi-3's two sets of factors, chosen by context length at run time."""
    keys: dict[str, Any] = {"scaling.original_context_length": original}
    if rope_type(parameters) == "longrope":
        attention = parameters.get("attention_factor")
        keys["scaling.attn_factor"] = float(attention or longrope_attention(shape.context_length, original))
    return keys


def longrope_attention(context_length: int, original: int) -> float:
    """Return by how much attention is sharpened when the context grew from `original`."""
    growth = context_length / original
    return 1.0 if growth <= 1 else math.sqrt(1 + math.log(growth) / math.log(original))


def rope_tensors(parameters: Mapping[str, Any], shape: ModelShape) -> dict[str, np.ndarray]:
    """Return the float32 tensors of factors that llama.cpp divides frequencies by."""
    kind = rope_type(parameters)
    if kind == "llama3":
        return {"rope_freqs.weight": _llama3_factors(parameters, shape)}
    if kind == "longrope":
        return {
            "rope_factors_long.weight": _factors(parameters, "long_factor", shape),
            "rope_factors_short.weight": _factors(parameters, "short_factor", shape),
        }
    return {}


def _llama3_factors(parameters: Mapping[str, Any], shape: ModelShape) -> np.ndarray:
    """Llama 3.1: high frequencies stay, low ones are divided by `factor`, those between are blended."""
    low, high = float(parameters["low_freq_factor"]), float(parameters["high_freq_factor"])
    factor = float(parameters["factor"])
    original = float(setting(parameters, "original_max_position_embeddings"))
    exponents = np.arange(0, shape.rope_dimensions, 2, dtype=np.float64) / shape.rope_dimensions
    wavelengths = 2 * math.pi * rope_theta(parameters) ** exponents
    smooth = (original / wavelengths - low) / (high - low)
    blended = 1 / ((1 - smooth) / factor + smooth)
    blended = np.where(wavelengths < original / high, 1.0, blended)
    return np.where(wavelengths > original / low, factor, blended).astype(np.float32)


def _factors(parameters: Mapping[str, Any], name: str, shape: ModelShape) -> np.ndarray:
    factors = np.asarray(parameters.get(name, ()), dtype=np.float32)
    if factors.shape != (shape.rope_dimensions // 2,):
        raise ModelFileError("config_incomplete", setting=f"rope_parameters.{name}")
    return factors
