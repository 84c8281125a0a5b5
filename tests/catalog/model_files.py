"""Model folders written byte by byte, so that a test can damage any part of them."""

from __future__ import annotations

import json
import math
import random
import struct
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "intermediate_size": 16,
    "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "vocab_size": 6,
    "max_position_embeddings": 128, "tie_word_embeddings": True,
}  # fmt: skip
TENSORS = {
    "model.embed_tokens.weight": (6, 8),
    "model.layers.0.mlp.up_proj.weight": (16, 8),
    "model.layers.1.mlp.up_proj.weight": (16, 8),
    "model.norm.weight": (8,),
}
TOKENIZER: dict[str, Any] = {
    "version": "1.0", "added_tokens": [{"id": 5, "content": "</s>", "special": True}],
    "model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "c": 2, "d": 3, "e": 4}, "merges": []},
}  # fmt: skip


def header_bytes(header: dict[str, Any] | str | bytes) -> bytes:
    """Return the length prefix and the header."""
    raw = header if isinstance(header, bytes) else (header if isinstance(header, str) else json.dumps(header)).encode()
    return struct.pack("<Q", len(raw)) + raw


def entries(shapes: dict[str, tuple[int, ...]]) -> tuple[dict[str, Any], int]:
    """Return header entries of F32 tensors one behind the other, and their bytes in all."""
    result: dict[str, Any] = {}
    position = 0
    for name, shape in shapes.items():
        end = position + 4 * math.prod(shape)
        result[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [position, end]}
        position = end
    return result, position


def write_weights(path: Path, shapes: dict[str, tuple[int, ...]] | None = None, fill: bytes = b"\0") -> None:
    """Write a sound safetensors file."""
    header, size = entries(TENSORS if shapes is None else shapes)
    path.write_bytes(header_bytes(header) + fill * size)


def model_folder(folder: Path, **config: Any) -> Path:
    """Write a sound folder; a config value of None removes the key."""
    folder.mkdir(parents=True, exist_ok=True)
    values = {key: value for key, value in {**CONFIG, **config}.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(values), encoding="utf-8")
    (folder / "tokenizer.json").write_text(json.dumps(TOKENIZER), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps({"eos_token": "</s>"}), encoding="utf-8")
    write_weights(folder / "model.safetensors")
    return folder


def mutated(raw: bytes, chance: random.Random) -> bytes:
    """Damage a file somewhere: flip, cut, double or replace a number in the header."""
    place = chance.randrange(len(raw))
    kind = chance.randrange(4)
    if kind == 0:
        return raw[:place] + bytes([chance.randrange(256)]) + raw[place + 1 :]
    if kind == 1:
        return raw[:place]
    if kind == 2:
        return raw + raw[place:]
    number = str(chance.choice([0, 1, 7, 2**31, 2**63, -1])).encode()
    return raw.replace(b"16", number, 1)
