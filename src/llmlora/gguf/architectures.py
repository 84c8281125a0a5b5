"""Model architectures and how each becomes GGUF: one entry per architecture in `ARCHITECTURES`.

An entry says what llama.cpp calls it, which keys it needs, how its tensors are rearranged, and which settings llama.cpp
would run differently from transformers and which are therefore refused. The test matrix has a model of each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import gguf
from llmlora.core.errors import ExportError, UnsupportedArchitecture
from llmlora.gguf.model_shape import (
    Config,
    ModelShape,
    read_model_shape,
    rope_parameters,
    setting,
    unsupported,
)
from llmlora.gguf.rope import (
    check_rope,
    longrope_keys,
    longrope_original,
    rope_keys,
    rope_tensors,
    rope_theta,
    rope_type,
)

Keys = dict[str, Any]
Rearrange = Callable[[str, np.ndarray, ModelShape], np.ndarray]
_PREFIXES = ("", "model.", "transformer.", "gpt_neox.")
_BUFFERS = re.compile(
    r"(\.|^)(rotary_emb\.inv_freq|attn\.(masked_)?bias|attention\.(masked_bias|bias|rotary_emb\..*))$"
)
_GELU = ("gelu", "gelu_new", "gelu_fast", "gelu_pytorch_tanh")


def _nothing(config: Config, shape: ModelShape) -> Keys:
    return {}


def _accept(config: Config, shape: ModelShape) -> None:
    return None


def _as_is(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    return values


def _no_window(config: Config, shape: ModelShape) -> int | None:
    return None


@dataclass(frozen=True)
class Architecture:
    """One architecture: names, special keys (`extra_keys`, behind the GGUF name), rearrangements and refusals.

    `rearrange_rows` reorders output rows only, so it acts on a LoRA's B as it does on the weight. `transposed` names
    weights that transformers stores as (in, out); `norm_offset` is what llama.cpp wants added to norm weights.
    `needs_output` demands an own output projection in the file even where the model shares the embedding; `can_untie`
    allows one at all. `rope_types` are the kinds of scaling that llama.cpp runs for it; `ignored_window` returns the
    sliding window that transformers applies and llama.cpp does not.
    """

    model_type: str
    gguf_name: str
    model_arch: gguf.MODEL_ARCH
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
    transposed: tuple[str, ...] = ()
    norm_offset: float = 0.0

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
        names = gguf.get_tensor_name_map(self.model_arch, self.shape(config).num_layers)

        def gguf_name(name: str) -> str | None:
            if _BUFFERS.search(name):
                return None
            for prefix in _PREFIXES:
                found = names.get_name(prefix + name, try_suffixes=(".weight", ".bias"))
                if found is not None:
                    return str(found)
            raise ExportError("unmapped_tensor", name=name, architecture=self.model_type)

        return gguf_name

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


def _permute(values: np.ndarray, num_heads: int) -> np.ndarray:
    """Bring rotary pairs from halves of a head, as transformers has them, to neighbours, as llama.cpp has them."""
    rows = values.reshape(num_heads, 2, values.shape[0] // num_heads // 2, -1)
    return rows.swapaxes(1, 2).reshape(values.shape)


def _llama_rows(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    if ".q_proj." in name:
        return _permute(values, shape.num_heads)
    if ".k_proj." in name:
        return _permute(values, shape.num_kv_heads)
    return values


def _neox_rows(name: str, values: np.ndarray, shape: ModelShape) -> np.ndarray:
    """Bring the fused projection from (head, q|k|v) to (q|k|v, head)."""
    if ".query_key_value." not in name:
        return values
    rows = values.reshape(shape.num_heads, 3, values.shape[0] // shape.num_heads // 3, -1)
    return rows.swapaxes(0, 1).reshape(values.shape)


def _refuse(config: Config, **accepted: tuple[object, ...]) -> None:
    """Refuse settings whose value is neither absent nor among the accepted ones."""
    for name, values in accepted.items():
        if config.get(name) is not None and config[name] not in values:
            raise unsupported(name, config[name])


def _check_qwen(config: Config, shape: ModelShape) -> None:
    _refuse(config, attention_bias=(False,))


def _check_qwen2(config: Config, shape: ModelShape) -> None:
    _refuse(config, attention_bias=(True,))


def _check_gemma(config: Config, shape: ModelShape) -> None:
    _refuse(config, attention_bias=(False,), use_bidirectional_attention=(False,))


def _check_windows(config: Config, shape: ModelShape) -> None:
    """llama.cpp aborts the process when a model of these kinds has no layer with a window."""
    kinds = config.get("layer_types")
    if kinds is None:
        return
    if len(kinds) != shape.num_layers or "sliding_attention" not in kinds:
        raise unsupported("layer_types", f"{len(kinds)} x {', '.join(sorted(set(kinds)))}")


def _check_gemma2(config: Config, shape: ModelShape) -> None:
    _check_gemma(config, shape)
    _check_windows(config, shape)
    _check_attention_scale(config, shape, 46)
    for name in ("attn_logit_softcapping", "final_logit_softcapping"):
        if config.get(name, 1.0) is None:  # llama.cpp would put its own default in
            raise unsupported(name, None)


def _check_gemma3(config: Config, shape: ModelShape) -> None:
    _check_gemma(config, shape)
    _check_windows(config, shape)
    _check_attention_scale(config, shape, 62)
    _refuse(config, attn_logit_softcapping=(), final_logit_softcapping=())
    local = rope_parameters(config, "sliding_attention")
    if rope_type(local) != "default":
        raise unsupported("rope_parameters.sliding_attention", rope_type(local))


def _check_attention_scale(config: Config, shape: ModelShape, layers_of_largest: int) -> None:
    """llama.cpp fixes the scale by the number of layers and reads no key for it."""
    is_largest = shape.num_layers == layers_of_largest
    expected = shape.hidden_size / shape.num_heads if is_largest else shape.head_dim
    scale = setting(config, "query_pre_attn_scalar", default=256)
    if scale != expected:
        raise unsupported("query_pre_attn_scalar", f"{scale} (GGUF: {expected:g})")


def _check_gpt2(config: Config, shape: ModelShape) -> None:
    _refuse(
        config,
        scale_attn_weights=(True,),
        scale_attn_by_inverse_layer_idx=(False,),
        add_cross_attention=(False,),
    )


def _check_neox(config: Config, shape: ModelShape) -> None:
    _refuse(config, attention_bias=(True,))


def _sliding_window(config: Config, shape: ModelShape, period: int) -> Keys:
    """Say of every layer whether it looks at a window only; without it llama.cpp assumes a period of its own."""
    kinds = config.get("layer_types")
    if kinds is None:
        period = int(setting(config, "sliding_window_pattern", "_sliding_window_pattern", default=period))
        is_local = [bool((layer + 1) % period) for layer in range(shape.num_layers)]
    else:
        is_local = [kind == "sliding_attention" for kind in kinds]
    window = int(setting(config, "sliding_window", default=4096))
    return {"attention.sliding_window": window, "attention.sliding_window_pattern": is_local}


def _gemma2_keys(config: Config, shape: ModelShape) -> Keys:
    return {
        "attn_logit_softcapping": float(setting(config, "attn_logit_softcapping", default=50.0)),
        "final_logit_softcapping": float(setting(config, "final_logit_softcapping", default=30.0)),
        **_sliding_window(config, shape, 2),
    }


def _gemma3_keys(config: Config, shape: ModelShape) -> Keys:
    local = rope_theta(rope_parameters(config, "sliding_attention"))
    return {"rope.freq_base_swa": local, **_sliding_window(config, shape, 6)}


def _own_window(config: Config, shape: ModelShape, default: int | None = None) -> int | None:
    """Return a window over all layers; Mistral's configuration class has one even where the file says nothing."""
    window = config.get("sliding_window", default)
    return None if window is None else int(window)


def _mistral_window(config: Config, shape: ModelShape) -> int | None:
    return _own_window(config, shape, 4096)


def _qwen_window(config: Config, shape: ModelShape) -> int | None:
    """Qwen files name a window that is switched off as a rule, or on for the layers behind `max_window_layers`."""
    kinds = config.get("layer_types")
    if kinds is None:
        is_local = int(setting(config, "max_window_layers", default=28)) < shape.num_layers
    else:
        is_local = "sliding_attention" in kinds
    return _own_window(config, shape, 4096) if config.get("use_sliding_window") and is_local else None


def _phi3_keys(config: Config, shape: ModelShape) -> Keys:
    parameters = rope_parameters(config)
    original = longrope_original(config, parameters, shape)
    keys = {f"rope.{name}": value for name, value in longrope_keys(parameters, shape, original).items()}
    return {**keys, "attention.sliding_window": int(setting(config, "sliding_window", default=0))}


def _neox_keys(config: Config, shape: ModelShape) -> Keys:
    return {"use_parallel_residual": bool(setting(config, "use_parallel_residual", default=True))}


_ARCH = gguf.MODEL_ARCH
_LLAMA_ROPE = ("default", "linear", "yarn", "llama3")
_ENTRIES = (
    Architecture("llama", "llama", _ARCH.LLAMA, rope_types=_LLAMA_ROPE, rearrange_rows=_llama_rows),
    Architecture(
        "mistral",
        "llama",
        _ARCH.LLAMA,
        rope_types=_LLAMA_ROPE,
        ignored_window=_mistral_window,
        rearrange_rows=_llama_rows,
    ),
    Architecture("qwen2", "qwen2", _ARCH.QWEN2, ignored_window=_qwen_window, check=_check_qwen2),
    Architecture("qwen3", "qwen3", _ARCH.QWEN3, ignored_window=_qwen_window, check=_check_qwen),
    Architecture(
        "gemma",
        "gemma",
        _ARCH.GEMMA,
        activations=_GELU,
        ties_by_default=True,
        can_untie=False,
        check=_check_gemma,
        norm_offset=1.0,
    ),
    Architecture(
        "gemma2",
        "gemma2",
        _ARCH.GEMMA2,
        activations=("gelu_pytorch_tanh",),
        ties_by_default=True,
        can_untie=False,
        extra_keys=_gemma2_keys,
        check=_check_gemma2,
        norm_offset=1.0,
    ),
    Architecture(
        "gemma3_text",
        "gemma3",
        _ARCH.GEMMA3,
        activations=("gelu_pytorch_tanh",),
        ties_by_default=True,
        extra_keys=_gemma3_keys,
        check=_check_gemma3,
        norm_offset=1.0,
    ),
    Architecture(
        "phi3",
        "phi3",
        _ARCH.PHI3,
        rope_types=("default", "longrope"),
        ignored_window=_own_window,
        extra_keys=_phi3_keys,
    ),
    Architecture(
        "gpt2",
        "gpt2",
        _ARCH.GPT2,
        activations=_GELU,
        epsilon_key="layer_norm_epsilon",
        has_rope=False,
        ties_by_default=True,
        check=_check_gpt2,
        transposed=(".c_attn.weight", ".c_proj.weight", ".c_fc.weight"),
    ),
    Architecture(
        "gpt_neox",
        "gptneox",
        _ARCH.GPTNEOX,
        activations=_GELU,
        epsilon_key="layer_norm_epsilon",
        needs_output=True,
        extra_keys=_neox_keys,
        check=_check_neox,
        rearrange_rows=_neox_rows,
    ),
)
ARCHITECTURES: Mapping[str, Architecture] = {entry.model_type: entry for entry in _ENTRIES}


def architecture_of(config: Config) -> Architecture:
    """Return the entry of a model; raises UnsupportedArchitecture naming the known ones."""
    model_type = str(config.get("model_type", ""))
    if model_type not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise UnsupportedArchitecture("unsupported_architecture", architecture=model_type or "?", supported=known)
    return ARCHITECTURES[model_type]


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
