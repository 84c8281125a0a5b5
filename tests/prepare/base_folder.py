"""A complete base folder, as a worker needs it, with weights too small to matter."""

from __future__ import annotations

import json
from pathlib import Path

from catalog.model_files import CONFIG, write_weights
from prepare.folders import CHATML, tokenizer_folder


def base_folder(folder: Path, kind: str = "byte_level", template: str | None = CHATML) -> Path:
    """Write tokenizer, configuration and weights that fit each other."""
    tokenizer_folder(folder, kind, template)
    document = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    vocab_size = len({*document["model"]["vocab"], *(entry["content"] for entry in document["added_tokens"])})
    (folder / "config.json").write_text(json.dumps({**CONFIG, "vocab_size": vocab_size}), encoding="utf-8")
    shapes = {"model.embed_tokens.weight": (vocab_size, 8), "model.layers.0.a": (2,), "model.layers.1.a": (2,)}
    write_weights(folder / "model.safetensors", shapes)
    return folder


def data_file(path: Path, num_rows: int = 3, answer: str = "価格は1,234円です。") -> Path:
    """Write an instruction file."""
    rows = [{"instruction": f"質問{number}", "output": f"{answer}{number}"} for number in range(num_rows)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n", encoding="utf-8")
    return path
