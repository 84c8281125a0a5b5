"""Which architectures GGUF files may have to be opened, and which models can become one; `gguf` has the rules."""

from __future__ import annotations

from llmlora.core.errors import UnsupportedArchitecture

# What files call it; and what a config.json does. A test holds both against the tables of `gguf`.
GGUF_ARCHITECTURES = ("llama", "qwen2", "qwen3", "gemma", "gemma2", "gemma3", "phi3", "gpt2", "gptneox")
EXPORTED_TYPES = (
    "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text", "phi3", "gpt2", "gpt_neox",
)  # fmt: skip
# Of those, the ones that store matrices as [input, output].
TRANSPOSED_TYPES = ("gpt2",)


def unknown_architecture(name: str) -> UnsupportedArchitecture | None:
    """Return the error of a file whose architecture has no rules here; None when it has."""
    if name in GGUF_ARCHITECTURES:
        return None
    return UnsupportedArchitecture("gguf_architecture", architecture=name, supported=", ".join(GGUF_ARCHITECTURES))
