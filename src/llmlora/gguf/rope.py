"""Rotary position embeddings: what the scaled kinds of `config.json` become in a GGUF file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from llmlora.core.errors import ModelFileError
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.model_shape import ModelShape, setting, unsupported

# Gemma's, Llama's and NeoX's default when a config leaves it out.
DEFAULT_THETA = 10_000.0
# YaRN's further settings and the values that llama.cpp takes for granted; it does not honour others in a file.
_YARN_FIXED = {
    "beta_fast": (32,), "beta_slow": (1,), "attention_factor": (), "mscale": (), "mscale_all_dim": (),
    "truncate": (True,),
}  # fmt: skip

LLAMA3_FACTORS, LONG_FACTORS, SHORT_FACTORS = (
    "rope_freqs.weight",
    "rope_factors_long.weight",
    "rope_factors_short.weight",
)
FACTOR_TENSORS = (LLAMA3_FACTORS, LONG_FACTORS, SHORT_FACTORS)


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
        return {LLAMA3_FACTORS: _llama3_factors(parameters, shape.rope_dimensions)}
    if kind == "longrope":
        return {
            LONG_FACTORS: _factors(parameters, "long_factor", shape),
            SHORT_FACTORS: _factors(parameters, "short_factor", shape),
        }
    return {}


def _llama3_factors(parameters: Mapping[str, Any], dimensions: int) -> np.ndarray:
    """Llama 3.1: high frequencies stay, low ones are divided by `factor`, those between are blended."""
    low, high = float(parameters["low_freq_factor"]), float(parameters["high_freq_factor"])
    factor = float(parameters["factor"])
    original = float(setting(parameters, "original_max_position_embeddings"))
    wavelengths = _wavelengths(rope_theta(parameters), dimensions)
    smooth = (original / wavelengths - low) / (high - low)
    blended = 1 / ((1 - smooth) / factor + smooth)
    blended = np.where(wavelengths < original / high, 1.0, blended)
    return np.where(wavelengths > original / low, factor, blended).astype(np.float32)


def _wavelengths(theta: float, dimensions: int) -> np.ndarray:
    exponents = np.arange(0, dimensions, 2, dtype=np.float64) / dimensions
    return np.asarray(2 * math.pi * theta**exponents)


def _factors(parameters: Mapping[str, Any], name: str, shape: ModelShape) -> np.ndarray:
    factors = np.asarray(parameters.get(name, ()), dtype=np.float32)
    if factors.shape != (shape.rope_dimensions // 2,):
        raise ModelFileError("config_incomplete", setting=f"rope_parameters.{name}")
    return factors


def rope_parameters_of(keys: FileKeys, head_dim: int, factors: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return the rotary settings of a GGUF file, in today's schema; `factors` are its tensors of rotary factors.

    Raises:
        ModelFileError: `gguf_key_unusable` for a kind of scaling without a rule here, or factors of no known making.
    """
    kind = keys.text("rope.scaling.type", "none")
    parameters: dict[str, Any] = {"rope_type": "default", "rope_theta": keys.number("rope.freq_base", DEFAULT_THETA)}
    dimensions = keys.integer("rope.dimension_count", head_dim)
    if dimensions != head_dim:
        parameters["partial_rotary_factor"] = _rotary_factor(dimensions, head_dim)
    if kind in ("linear", "yarn"):
        parameters |= {"rope_type": kind, "factor": keys.number("rope.scaling.factor")}
    elif kind not in ("none", "longrope"):
        raise keys.unusable("rope.scaling.type", kind)
    if kind == "yarn":
        parameters["original_max_position_embeddings"] = keys.integer("rope.scaling.original_context_length")
    if LLAMA3_FACTORS in factors:
        parameters |= _llama3_settings(keys, parameters["rope_theta"], dimensions, factors[LLAMA3_FACTORS])
    if LONG_FACTORS in factors and SHORT_FACTORS in factors:
        parameters |= {
            "rope_type": "longrope",
            "long_factor": factors[LONG_FACTORS].tolist(),
            "short_factor": factors[SHORT_FACTORS].tolist(),
            "attention_factor": keys.number("rope.scaling.attn_factor", 1.0),
            "original_max_position_embeddings": keys.integer("rope.scaling.original_context_length"),
        }
    return parameters


def _rotary_factor(dimensions: int, head_dim: int) -> float:
    """Return the share of a head that is rotated, such that a product with the head's size is never one short."""
    factor = dimensions / head_dim
    return factor if int(head_dim * factor) == dimensions else math.nextafter(factor, 1)


def _llama3_settings(keys: FileKeys, theta: float, dimensions: int, factors: np.ndarray) -> dict[str, Any]:
    """Return the settings that Llama 3's factors were computed from: a blended factor is linear in 1 / wavelength.

    Only their ratios show in the factors, so `low_freq_factor` is 1 as in every published model.
    """
    wavelengths = _wavelengths(theta, dimensions)
    factor = float(factors.max())
    blended = np.flatnonzero((factors > 1) & (factors < factor))
    if factors.shape != wavelengths.shape or len(blended) < 2:
        raise keys.unusable(LLAMA3_FACTORS, f"{len(blended)} / {factors.shape}")
    smooth = (1 / factors[blended].astype(np.float64) - 1 / factor) / (1 - 1 / factor)
    slope, offset = np.polyfit(1 / wavelengths[blended], smooth, 1)
    high = 1 - 1 / offset
    settings = {
        "rope_type": "llama3",
        "factor": float(f"{factor:.6g}"),
        "low_freq_factor": 1.0,
        "high_freq_factor": float(f"{high:.4g}"),
        "original_max_position_embeddings": round(float(slope) * (high - 1)),
    }
    made = _llama3_factors({"rope_theta": theta, **settings}, dimensions)
    if not np.allclose(made, factors, rtol=1e-5, atol=0):
        raise keys.unusable(LLAMA3_FACTORS, str(settings))
    return settings
