"""A model of 7B shapes in F16, 13.5 GB of zeros that the disk need not hold: converted, quantised, read, and run.

What a stage needs beyond its libraries is the largest tensor in float32 and 1 GB, whatever the size of the model.
"""

from __future__ import annotations

import json
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tiny_models import tiny_model

pytestmark = [pytest.mark.gate, pytest.mark.timeout(7200)]
SHAPES = {
    "hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
    "num_key_value_heads": 32, "vocab_size": 32000, "max_position_embeddings": 2048, "tie_word_embeddings": False,
}  # fmt: skip
LARGEST_TENSOR = 4 * SHAPES["vocab_size"] * SHAPES["hidden_size"]
MORE = 1 << 30
# Every child prints the peak of its own memory (files that are mapped are not its own) above what its libraries take.
CHILD = """
import json, sys, threading
from pathlib import Path
from llmlora.gguf.gguf_source import GgufSource
from llmlora.gguf.quantize import quantize_gguf
from llmlora.gguf.writer import write_gguf
from llmlora.inference.llamacpp_chat import LlamaCppChat
from llmlora.weights.base import open_folder

def anonymous():
    text = Path("/proc/self/status").read_text()
    return 1024 * int(text.split("RssAnon:")[1].split()[0])

def convert(folder, output):
    base = open_folder(Path(folder))
    write_gguf(base.source, base.config, base.path, Path(output), "F16", "llmlora-scale")

def quantize(source, output):
    quantize_gguf(Path(source), Path(output), "Q4_K_M")

def read(path):
    source = GgufSource(Path(path))
    for name in source.names():
        source.read(name)

def run(path):
    chat = LlamaCppChat(Path(path), context_length=64)
    chat.generate_ids([1, 2, 3], 2)
    chat.close()

peak, at_first, is_done = 0, anonymous(), threading.Event()
def watch():
    global peak
    while not is_done.wait(0.02):
        peak = max(peak, anonymous())
watcher = threading.Thread(target=watch)
watcher.start()
{"convert": convert, "quantize": quantize, "read": read, "run": run}[sys.argv[1]](*sys.argv[2:])
is_done.set()
watcher.join()
print(json.dumps({"extra_bytes": peak - at_first}))
"""


def write_sparse_model(folder: Path) -> Path:
    """Write a llama of 7B shapes whose weights are a hole in a file; its tokenizer is a tiny one."""
    tiny_model("llama", folder)
    config = json.loads((folder / "config.json").read_text())
    config.pop("head_dim", None)
    (folder / "config.json").write_text(json.dumps({**config, **SHAPES, "dtype": "float16"}))
    wide, deep = SHAPES["hidden_size"], SHAPES["intermediate_size"]
    shapes: dict[str, list[int]] = {"model.embed_tokens.weight": [SHAPES["vocab_size"], wide]}
    for layer in range(SHAPES["num_hidden_layers"]):
        name = f"model.layers.{layer}"
        shapes |= {f"{name}.self_attn.{part}_proj.weight": [wide, wide] for part in "qkvo"}
        shapes |= {f"{name}.mlp.{part}_proj.weight": [deep, wide] for part in ("gate", "up")}
        shapes[f"{name}.mlp.down_proj.weight"] = [wide, deep]
        shapes |= {f"{name}.{part}_layernorm.weight": [wide] for part in ("input", "post_attention")}
    shapes |= {"model.norm.weight": [wide], "lm_head.weight": [SHAPES["vocab_size"], wide]}
    header: dict[str, Any] = {}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * shape[0] * (shape[1] if len(shape) > 1 else 1)
        header[name] = {"dtype": "F16", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    for old in folder.glob("model*.safetensors*"):
        old.unlink()
    with (folder / "model.safetensors").open("wb") as stream:
        stream.write(struct.pack("<Q", len(text)) + text)
        stream.truncate(8 + len(text) + end)
    return folder


def measured(stage: str, *places: Path) -> dict[str, Any]:
    started = time.monotonic()
    child = [sys.executable, "-c", CHILD, stage, *map(str, places)]
    finished = subprocess.run(child, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]
    found = json.loads(finished.stdout.splitlines()[-1])
    return {"stage": stage, **found, "seconds": round(time.monotonic() - started, 1)}


def test_seven_billion_parameters_stream_through_every_stage(tmp_path: Path) -> None:
    folder = write_sparse_model(tmp_path / "base")
    whole, small = tmp_path / "model-F16.gguf", tmp_path / "model-Q4_K_M.gguf"
    stages = [measured("convert", folder, whole), measured("quantize", whole, small)]
    sizes = {path.name: path.stat().st_size for path in (whole, small)}
    whole.unlink()
    stages += [measured("read", small), measured("run", small)]
    print(json.dumps({"sizes": sizes, "stages": stages}))
    assert sizes[whole.name] > 13e9
    assert 3.5e9 < sizes[small.name] < 4.5e9
    for stage in stages:
        assert stage["extra_bytes"] < LARGEST_TENSOR + MORE, stage
