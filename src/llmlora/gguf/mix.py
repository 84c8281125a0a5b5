"""Which type each tensor of a quantised file gets: llama.cpp's mixtures, so that a name means the same everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from llmlora.catalog.gguf_header import GgufHeader, GgufTensor
from llmlora.gguf.blocks import block_size
from llmlora.gguf.writer import is_kept_float32

FLOAT_TYPES = ("F32", "F16", "BF16")
# What a mixture is made of by default; the rules below refine the K ones.
DEFAULT_TYPES = {
    "F32": "F32", "F16": "F16", "BF16": "BF16", "Q8_0": "Q8_0", "Q6_K": "Q6_K", "Q5_K_M": "Q5_K", "Q4_K_M": "Q4_K",
    "Q4_K_S": "Q4_K", "Q4_0": "Q4_0", "Q3_K_M": "Q3_K", "Q2_K": "Q2_K",
}  # fmt: skip
# Every type a mixture may need on rows that fit.
MIX_TYPES = {
    "Q8_0": ("Q8_0",), "Q6_K": ("Q6_K",), "Q5_K_M": ("Q5_K", "Q6_K"), "Q4_K_M": ("Q4_K", "Q6_K"),
    "Q4_K_S": ("Q4_K", "Q5_K", "Q6_K"), "Q4_0": ("Q4_0", "Q6_K"), "Q3_K_M": ("Q3_K", "Q4_K", "Q5_K", "Q6_K"),
    "Q2_K": ("Q2_K", "Q3_K", "Q4_K", "Q6_K"),
}  # fmt: skip
_COARSER_ROWS = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}


@dataclass(frozen=True)
class MixModel:
    """What the rules look at: layers, how many heads share a key/value head, and two special cases."""

    num_layers: int
    heads_per_kv: int
    has_output: bool
    is_70b: bool

    @classmethod
    def of(cls, header: GgufHeader) -> MixModel:
        """Read it from a file's header."""
        metadata = header.metadata
        name = str(metadata.get("general.architecture", ""))
        num_layers = int(metadata.get(f"{name}.block_count", 0))
        heads = _number(metadata.get(f"{name}.attention.head_count"), 1)
        kv_heads = _number(metadata.get(f"{name}.attention.head_count_kv"), heads)
        has_output = any(tensor.name == "output.weight" for tensor in header.tensors)
        is_large = num_layers == 80 and (name == "qwen2" or (name == "llama" and kv_heads != heads))
        return cls(num_layers, heads // max(kv_heads, 1), has_output, is_large)

    def wants_more(self, layer: int) -> bool:
        """Tell whether a layer gets more bits: the first and last eighth do, and every third between."""
        eighth = self.num_layers // 8
        return layer < eighth or layer >= 7 * self.num_layers // 8 or (layer - eighth) % 3 == 2


def _number(value: Any, default: int) -> int:
    if isinstance(value, list) and value:
        value = value[0]
    return value if isinstance(value, int) and value > 0 else default


def _q2_k(part: str, model: MixModel, layer: int) -> str | None:
    if part == "attn_v":
        return "Q4_K" if model.heads_per_kv >= 4 else "Q3_K"
    return "Q3_K" if part in ("ffn_down", "attn_output") else None


def _q3_k_m(part: str, model: MixModel, layer: int) -> str | None:
    if part == "attn_v":
        return "Q5_K" if layer < 2 else "Q4_K"
    if part == "ffn_down":
        return "Q5_K" if layer < model.num_layers // 16 else "Q4_K"
    return "Q4_K" if part == "attn_output" else None


def _q4_k_s(part: str, model: MixModel, layer: int) -> str | None:
    if part == "attn_v":
        return "Q5_K" if layer < 4 else None
    return "Q5_K" if part == "ffn_down" and layer < model.num_layers // 8 else None


def _k_m(part: str, model: MixModel, layer: int) -> str | None:
    return "Q6_K" if part in ("attn_v", "ffn_down") and model.wants_more(layer) else None


_RULES: Mapping[str, Callable[[str, MixModel, int], str | None]] = {
    "Q2_K": _q2_k, "Q3_K_M": _q3_k_m, "Q4_K_S": _q4_k_s, "Q4_K_M": _k_m, "Q5_K_M": _k_m,
}  # fmt: skip


def tensor_type(tensor: GgufTensor, quantization: str, model: MixModel) -> str:
    """Return the type a tensor of a float file gets in a mixture."""
    is_expert_gate = "ffn_gate_inp" in tensor.name
    if not tensor.name.endswith("weight") or is_expert_gate or is_kept_float32(tensor.name, len(tensor.shape)):
        return tensor.ggml_type
    default = DEFAULT_TYPES[quantization]
    if quantization in FLOAT_TYPES:
        return default
    row = tensor.shape[-1]
    is_output = tensor.name == "output.weight" or (tensor.name == "token_embd.weight" and not model.has_output)
    if is_output:
        wanted = default if default == "Q8_0" else "Q6_K"
        return fitting_type("Q8_0" if row % block_size(default) else wanted, row)
    return fitting_type(_refined(tensor.name, quantization, model) or default, row)


def _refined(name: str, quantization: str, model: MixModel) -> str | None:
    parts = name.split(".")
    rule = _RULES.get(quantization)
    if rule is None or parts[0] != "blk":
        return None
    part = "attn_v" if parts[2] == "attn_qkv" else parts[2]
    chosen = rule(part, model, int(parts[1]))
    if part == "attn_v" and model.is_70b and (chosen or DEFAULT_TYPES[quantization]) in ("Q3_K", "Q4_K"):
        return "Q5_K"
    return chosen


def fitting_type(ggml_type: str, row: int) -> str:
    """Return a type whose blocks divide the row."""
    if row % block_size(ggml_type):
        ggml_type = _COARSER_ROWS.get(ggml_type, ggml_type)
    return "F16" if row % block_size(ggml_type) else ggml_type
