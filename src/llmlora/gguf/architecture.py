"""What an architecture is in GGUF, both ways: names, keys, arrangement of tensors, and what llama.cpp cannot run.

The entries stand one file per family under `families/`, the table of them all in `architectures.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmlora.core.errors import ExportError
from llmlora.gguf.file_keys import FileKeys
from llmlora.gguf.model_shape import Config, ModelShape, read_model_shape, rope_parameters, unsupported
from llmlora.gguf.rope import (
    longrope_original,
    rope_keys,
    rope_parameters_of,
    rope_tensors,
    rope_theta,
    rope_type,
)

Keys = dict[str, Any]
Rearrange = Callable[[str, np.ndarray, ModelShape], np.ndarray]
GELU = ("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh")
LLAMA_BLOCKS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
LLAMA_OUTER = {"token_embd": "embed_tokens", "output_norm": "norm"}
_HEADS = ("lm_head", "embed_out")  # today's name of the output projection, and an older one of GPT-NeoX
_SUFFIX = re.compile(r"\.(weight|bias)$")
_BUFFERS = re.compile(
    r"(\.|^)(rotary_emb\.inv_freq|attn\.(masked_)?bias|attention\.(masked_bias|bias|rotary_emb\..*))$"
)


def _nothing(config: Config, shape: ModelShape) -> Keys:
    return {}


def _nothing_more(keys: FileKeys, config: Config) -> dict[str, Any]:
    return {}


def _accept(config: Config, shape: ModelShape) -> None:
    return None


def _as_is(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    return values


def _no_window(config: Config, shape: ModelShape) -> int | None:
    return None


def refuse(config: Config, **accepted: tuple[object, ...]) -> None:
    """Refuse settings whose value is neither absent nor among the accepted ones."""
    for name, values in accepted.items():
        if config.get(name) is not None and config[name] not in values:
            raise unsupported(name, config[name])


@dataclass(frozen=True)
class Architecture:
    """One architecture: names, special keys (`extra_keys`, behind the GGUF name), rearrangements and refusals.

    Tensors: `root` and `layers` are where transformers keeps the blocks ("model", "layers"), `blocks` its name of each
    part of a block, `outer` of each part beside the blocks, by their GGUF names; `biases` are the parts of a block that
    have one always, `bias_settings` those of a setting of the config. `rearrange_rows` reorders output rows only, so it
    acts on a LoRA's B as it does on the weight; `restore_rows` undoes it. `transposed` names weights that transformers
    stores as (in, out); `norm_offset` is what llama.cpp wants added to norm weights.

    `needs_output` demands an own output projection in the file even where the model shares the embedding; `can_untie`
    allows one at all. `rope_types` are the kinds of scaling that llama.cpp runs for it; `ignored_window` returns the
    sliding window that transformers applies and llama.cpp does not. For the way back, `file_settings` returns what a
    config says beside sizes and rotary settings, and `config_names` the fields that a config calls otherwise.
    """

    model_type: str
    gguf_name: str
    root: str = "model"
    layers: str = "layers"
    blocks: Mapping[str, str] = field(default_factory=lambda: LLAMA_BLOCKS)
    outer: Mapping[str, str] = field(default_factory=lambda: LLAMA_OUTER)
    biases: tuple[str, ...] = ()
    bias_settings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    activations: tuple[str, ...] = ("silu",)
    epsilon_key: str = "layer_norm_rms_epsilon"
    has_rope: bool = True
    rope_types: tuple[str, ...] = ("default", "linear", "yarn")
    ignored_window: Callable[[Config, ModelShape], int | None] = _no_window
    ties_by_default: bool = False
    needs_output: bool = False
    can_untie: bool = True
    extra_keys: Callable[[Config, ModelShape], Keys] = _nothing
    check: Callable[[Config, ModelShape], None] = _accept
    rearrange_rows: Rearrange = _as_is
    restore_rows: Rearrange = _as_is
    transposed: tuple[str, ...] = ()
    norm_offset: float = 0.0
    file_settings: Callable[[FileKeys, Config], dict[str, Any]] = _nothing_more
    config_names: Mapping[str, str] = field(default_factory=dict)

    def shape(self, config: Config) -> ModelShape:
        """Return the model's sizes."""
        return read_model_shape(config, self.ties_by_default)

    def context_length(self, config: Config) -> int:
        """Return up to how many tokens llama.cpp answers as the model does; a file names no longer context.

        Beyond a window that llama.cpp does not know, attention would reach too far. With `longrope` llama.cpp chooses
        between short and long factors by the size of the context it is started with, transformers by the length of each
        text: only up to the original length do both take the short ones.
        """
        shape = self.shape(config)
        limits = [shape.context_length, self.ignored_window(config, shape)]
        parameters = rope_parameters(config)
        if self.has_rope and rope_type(parameters) == "longrope":
            limits.append(longrope_original(config, parameters, shape))
        return min(limit for limit in limits if limit is not None)

    def keys(self, config: Config) -> Keys:
        """Return all keys that begin with the architecture's name."""
        shape = self.shape(config)
        keys: Keys = {
            "block_count": shape.num_layers,
            "context_length": self.context_length(config),
            "embedding_length": shape.hidden_size,
            "feed_forward_length": shape.intermediate_size,
            "attention.head_count": shape.num_heads,
            "attention.head_count_kv": shape.num_kv_heads,
            f"attention.{self.epsilon_key}": shape.norm_epsilon,
            "vocab_size": shape.vocab_size,
        }
        if shape.has_head_dim:
            keys |= {"attention.key_length": shape.head_dim, "attention.value_length": shape.head_dim}
        if self.has_rope:
            parameters = rope_parameters(config)
            keys |= {"rope.freq_base": rope_theta(parameters), "rope.dimension_count": shape.rope_dimensions}
            keys |= {f"rope.{name}": value for name, value in rope_keys(parameters, shape).items()}
        keys |= self.extra_keys(config, shape)
        return {f"{self.gguf_name}.{name}": value for name, value in keys.items()}

    def extra_tensors(self, config: Config) -> dict[str, np.ndarray]:
        """Return float32 tensors that the model computes and GGUF stores: rotary factors."""
        return rope_tensors(rope_parameters(config), self.shape(config)) if self.has_rope else {}

    def tensor_namer(self, config: Config) -> Callable[[str], str | None]:
        """Return a function from Hugging Face tensor names to GGUF names; None for buffers that are not weights."""
        known = {module: name for name, module in self._modules(config).items()} | dict.fromkeys(_HEADS, "output")

        def gguf_name(name: str) -> str | None:
            if _BUFFERS.search(name):
                return None
            module, suffix = _split(name)
            found = known.get(module) or known.get(f"{self.root}.{module}")  # some folders leave the root out
            if found is None:
                raise ExportError("unmapped_tensor", name=name, architecture=self.model_type)
            return found + suffix

        return gguf_name

    def source_namer(self, config: Config) -> Callable[[str], str | None]:
        """Return a function from GGUF tensor names to those of transformers; None for what is no weight of a model."""
        modules = {**self._modules(config), "output": _HEADS[0]}

        def source_name(name: str) -> str | None:
            part, suffix = _split(name)
            return modules[part] + suffix if part in modules and suffix else None

        return source_name

    def _modules(self, config: Config) -> dict[str, str]:
        """Return transformers' name of every module by its GGUF name, the output projection aside."""
        modules = {name: f"{self.root}.{module}" for name, module in self.outer.items()}
        for layer in range(self.shape(config).num_layers):
            for name, module in self.blocks.items():
                modules[f"blk.{layer}.{name}"] = f"{self.root}.{self.layers}.{layer}.{module}"
        return modules

    def is_transposed(self, name: str) -> bool:
        """Tell whether a weight (by its Hugging Face name) is stored as (in, out)."""
        return bool(self.transposed) and name.endswith(self.transposed)

    def convert(self, name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
        """Return a tensor in GGUF's arrangement; `name` is the Hugging Face name."""
        if self.is_transposed(name):
            return np.ascontiguousarray(values.T)
        if self.norm_offset and name.endswith("norm.weight"):
            return values + np.float32(self.norm_offset)
        return self.rearrange_rows(name, values, shape)

    def restore(self, name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
        """Return a tensor of a GGUF file in transformers' arrangement; `name` is the Hugging Face name."""
        if self.is_transposed(name):
            return np.ascontiguousarray(values.T)
        if self.norm_offset and name.endswith("norm.weight"):
            return values - np.float32(self.norm_offset)
        return self.restore_rows(name, values, shape)

    def config(self, keys: FileKeys, factors: Mapping[str, np.ndarray]) -> Keys:
        """Return what the `config.json` of a file's model says as far as keys tell: sizes, rotary settings, kinds.

        `factors` are the rotary factors that the file stores as tensors. What is left out has llama.cpp's default.

        Raises:
            ModelFileError: `gguf_key_missing`, `gguf_key_unusable`.
        """
        hidden_size, num_heads = keys.integer("embedding_length"), keys.integer("attention.head_count")
        found: Keys = {
            "hidden_size": hidden_size,
            "num_hidden_layers": keys.integer("block_count"),
            "num_attention_heads": num_heads,
            "intermediate_size": keys.integer("feed_forward_length"),
            "max_position_embeddings": keys.integer("context_length"),
            "rms_norm_eps": keys.number(f"attention.{self.epsilon_key}"),
        }
        if keys.has("attention.head_count_kv"):
            found["num_key_value_heads"] = keys.integer("attention.head_count_kv")
        if keys.has("attention.key_length"):
            found["head_dim"] = keys.integer("attention.key_length")
        if self.has_rope:
            head_dim = found.get("head_dim", hidden_size // num_heads)
            found["rope_parameters"] = rope_parameters_of(keys, head_dim, factors)
        found |= self.file_settings(keys, found)
        named = {self.config_names.get(name, name): value for name, value in found.items()}
        return {"model_type": self.model_type, **named}


def _split(name: str) -> tuple[str, str]:
    """Return a tensor's module and its suffix, ".weight", ".bias" or nothing."""
    match = _SUFFIX.search(name)
    return (name, "") if match is None else (name[: match.start()], match.group())
