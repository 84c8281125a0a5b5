"""The table of model architectures that can be GGUF files, and which of their settings llama.cpp runs as they are.

An entry stands in its family's file; the test matrix has a model of each.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from typing import Any

from llmlora.core.errors import UnsupportedArchitecture
from llmlora.gguf.architecture import Architecture
from llmlora.gguf.families import gemma, gpt2, gpt_neox, llama, phi, qwen
from llmlora.gguf.model_shape import Config, rope_parameters, setting, unsupported
from llmlora.gguf.rope import check_rope

_FAMILIES = (llama, qwen, gemma, phi, gpt2, gpt_neox)
_ENTRIES = chain.from_iterable(family.ENTRIES for family in _FAMILIES)
ARCHITECTURES: Mapping[str, Architecture] = {entry.model_type: entry for entry in _ENTRIES}


def architecture_of(config: Config) -> Architecture:
    """Return the entry of a model; raises UnsupportedArchitecture naming the known ones."""
    model_type = str(config.get("model_type", ""))
    if model_type not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise UnsupportedArchitecture("unsupported_architecture", architecture=model_type or "?", supported=known)
    return ARCHITECTURES[model_type]


def architecture_in_file(metadata: Mapping[str, Any]) -> Architecture:
    """Return the entry for a GGUF file's keys; raises UnsupportedArchitecture naming those that are known."""
    name = str(metadata.get("general.architecture", ""))
    found = next((entry for entry in ARCHITECTURES.values() if entry.gguf_name == name), None)
    if found is None:
        known = ", ".join(dict.fromkeys(entry.gguf_name for entry in ARCHITECTURES.values()))
        raise UnsupportedArchitecture("gguf_architecture", architecture=name or "?", supported=known)
    return found


def check_exportable(config: Config) -> None:
    """Refuse, before anything is spent, every model whose GGUF file would not give its answers.

    Raises:
        UnsupportedArchitecture: no entry for its `model_type`.
        ExportError: a setting that llama.cpp would run differently, by name.
    """
    architecture = architecture_of(config)
    shape = architecture.shape(config)
    if config.get("quantization_config"):
        raise unsupported("quantization_config", "…")
    activation = setting(
        config, "hidden_activation", "hidden_act", "activation_function", default=architecture.activations[0]
    )
    if activation not in architecture.activations:
        raise unsupported("hidden_act", activation)
    if not shape.is_tied and not architecture.can_untie:
        raise unsupported("tie_word_embeddings", False)
    if architecture.has_rope:
        check_rope(rope_parameters(config), architecture.rope_types)
    architecture.check(config, shape)
