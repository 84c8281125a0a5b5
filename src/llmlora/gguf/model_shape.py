"""What a `config.json` says about a model, whatever version of transformers wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llmlora.core.errors import ExportError, ModelFileError

Config = Mapping[str, Any]
_MISSING = object()


def setting(config: Config, *names: str, default: Any = _MISSING) -> Any:
    """Return the first of several synonymous settings that is there and not null."""
    for name in names:
        if config.get(name) is not None:
            return config[name]
    if default is _MISSING:
        raise ModelFileError("config_incomplete", setting=names[0])
    return default


def unsupported(name: str, value: object) -> ExportError:
    """Return the error for a setting that llama.cpp would run differently from transformers."""
    return ExportError("unsupported_model_setting", setting=name, value=str(value)[:100])


@dataclass(frozen=True)
class ModelShape:
    """Sizes of a model; `head_dim` is what a head really has, `has_head_dim` whether the config states it."""

    num_layers: int
    hidden_size: int
    intermediate_size: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    has_head_dim: bool
    context_length: int
    vocab_size: int
    norm_epsilon: float
    rotary_factor: float
    is_tied: bool

    @property
    def rope_dimensions(self) -> int:
        """Values of a head that are rotated."""
        return int(self.head_dim * self.rotary_factor)


def read_model_shape(config: Config, ties_by_default: bool) -> ModelShape:
    """Read the sizes from a configuration; raises ModelFileError(config_incomplete) when one is missing."""
    hidden_size = int(setting(config, "hidden_size", "n_embd"))
    num_heads = int(setting(config, "num_attention_heads", "n_head"))
    parameters = rope_parameters(config)
    rotary_factor = parameters.get("partial_rotary_factor")
    if rotary_factor is None:
        rotary_factor = setting(config, "partial_rotary_factor", "rotary_pct", default=1.0)
    return ModelShape(
        num_layers=int(setting(config, "num_hidden_layers", "n_layer")),
        hidden_size=hidden_size,
        intermediate_size=int(setting(config, "intermediate_size", "n_inner", default=4 * hidden_size)),
        num_heads=num_heads,
        num_kv_heads=int(setting(config, "num_key_value_heads", default=num_heads)),
        head_dim=int(setting(config, "head_dim", default=hidden_size // num_heads)),
        has_head_dim=config.get("head_dim") is not None,
        context_length=int(setting(config, "max_position_embeddings", "n_positions", "n_ctx", default=2048)),
        vocab_size=int(setting(config, "vocab_size")),
        norm_epsilon=float(setting(config, "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", default=1e-5)),
        rotary_factor=float(rotary_factor),
        is_tied=bool(setting(config, "tie_word_embeddings", default=ties_by_default)),
    )


def rope_parameters(config: Config, kind: str = "full_attention") -> dict[str, Any]:
    """Return the rotary settings of one kind of layer, in today's schema.

    Older files keep `rope_theta` and `rope_scaling` apart; newer ones have `rope_parameters`, nested by kind of layer
    where kinds differ.
    """
    found = config.get("rope_parameters")
    if isinstance(found, Mapping):
        nested = found.get(kind)
        if isinstance(nested, Mapping):
            return dict(nested)
        if not any(isinstance(value, Mapping) for value in found.values()):
            return {"rope_theta": config.get("rope_theta"), **found}
    if kind == "sliding_attention":
        return {"rope_theta": setting(config, "rope_local_base_freq", "rope_theta", default=None)}
    scaling = config.get("rope_scaling")
    scaling = dict(scaling) if isinstance(scaling, Mapping) else {}
    theta = setting(config, "rope_theta", "rotary_emb_base", default=None)
    if "rope_type" not in scaling and "type" in scaling:
        scaling["rope_type"] = scaling["type"]
    return {"rope_theta": theta, **scaling}
