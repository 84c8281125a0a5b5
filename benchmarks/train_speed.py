"""How fast a LoRA run trains on this CPU or GPU, against the limit that its matrix products set.

    make bench            (or: python benchmarks/train_speed.py [--shape 1b] [--steps N] [--batch N] [--out FILE.json])

The model has the 135 M parameter shape with random weights (speed does not depend on them): hidden 576, ffn 1536, 30
layers, 9/3 heads, vocabulary 49,152, tied; for GPUs there is one of 1.1 B. LoRA r=8 on q, k, v, o, batch 4, rows of the
lengths of an instruction dataset (mean about 206 tokens, 9 % prompt). Printed: real tokens per second (no padding
exists), peak memory, and the share of the time that the products alone would need at this machine's measured
matrix-product speed.
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from llmlora.core.config import TrainConfig
from llmlora.core.events import EventWriter
from llmlora.core.job import DataSource, JobConfig, write_job
from llmlora.engine.device import DTYPES
from llmlora.engine.environment import package_versions
from llmlora.engine.train import fit
from llmlora.weights.base import open_folder

COMMON = {"vocab_size": 49_152, "tie_word_embeddings": True, "max_position_embeddings": 2048}
SHAPES: dict[str, dict[str, Any]] = {
    "135m": {
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
    },
    "1b": {
        "hidden_size": 2048,
        "intermediate_size": 5632,
        "num_hidden_layers": 22,
        "num_attention_heads": 32,
        "num_key_value_heads": 4,
    },
}
NUM_ROWS = 64
PROMPT_SHARE = 0.09


class RandomRows:
    """Rows of random tokens with the lengths of an instruction dataset."""

    def __init__(self, num_rows: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        lengths = np.clip(random.gamma(2.0, 103.0, num_rows), 24, 1024).astype(int)
        self.rows = []
        for length in lengths:
            ids = random.integers(0, COMMON["vocab_size"], length).astype(np.int32)
            labels = ids.copy()
            labels[: max(1, int(PROMPT_SHARE * length))] = -100
            self.rows.append((ids, labels))

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return token ids and labels of one row."""
        return self.rows[index]


def product_gflops(dtype: torch.dtype, device: str, shape: dict[str, Any]) -> float:
    """Return the speed of the model's own product shapes, in GFLOP/s, all threads or the GPU."""
    tokens, hidden, inner = 824 if device == "cpu" else 8192, shape["hidden_size"], shape["intermediate_size"]
    left, right = (torch.randn(size, device=device).to(dtype) for size in ((tokens, hidden), (hidden, inner)))
    float((left @ right)[0, 0])
    started, count = time.perf_counter(), 60
    for _ in range(count):
        product = left @ right
    float(product[0, 0])  # a GPU has finished only when its result is read
    return 2 * tokens * hidden * inner * count / (time.perf_counter() - started) / 1e9


def product_limit(gflops: float, shape: dict[str, Any], label_share: float) -> float:
    """Return the tokens per second at which the products of a LoRA step alone would run, attention not counted."""
    hidden, heads = shape["hidden_size"], shape["num_attention_heads"]
    key_values = 2 * hidden * shape["num_key_value_heads"] // heads
    layer = hidden * (2 * hidden + key_values + 3 * shape["intermediate_size"])
    output = hidden * COMMON["vocab_size"]
    return gflops * 1e9 / (4 * (shape["num_hidden_layers"] * layer + output * label_share))


def measure(shape: dict[str, Any], steps: int, batch: int, dtype: str) -> dict[str, Any]:
    """Train some steps and return the measured numbers."""
    rows = RandomRows(NUM_ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = folder / "base"
        torch.manual_seed(0)
        LlamaForCausalLM(LlamaConfig(**shape, **COMMON)).save_pretrained(base)
        config = TrainConfig(
            r=8,
            lora_alpha=16,
            target_modules=("q_proj", "k_proj", "v_proj", "o_proj"),
            per_device_train_batch_size=batch,
            max_steps=steps,
            learning_rate=1e-4,
            max_length=1024,
            dtype=dtype,
        )
        job = JobConfig(
            schema="llmlora.job/1",
            id="bench",
            base_model="bench",
            base_dir=str(base),
            base_digest="-",
            data=DataSource(path="-", sha256="-"),
            train=config,
            llmlora_version="-",
        )
        run = folder / "job" / "runs" / "1"
        run.mkdir(parents=True)
        write_job(folder / "job", job)
        summary = fit(job, open_folder(base), folder / "job", 1, (rows, None), EventWriter(run, 1), False).summary()
    label_tokens = sum(int((labels[1:] != -100).sum()) for _, labels in rows.rows)
    label_share = label_tokens / sum(len(ids) for ids, _ in rows.rows)
    gflops = product_gflops(DTYPES[summary["dtype"]], summary["device"], shape)
    limit = product_limit(gflops, shape, label_share)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": platform.processor() or platform.machine(),
        "gpu": torch.cuda.get_device_name() if summary["device"] == "cuda" else None,
        "batch": batch,
        "num_threads": torch.get_num_threads(),
        "versions": package_versions(),
        "dtype": summary["dtype"],
        "num_steps": summary["num_steps"],
        "num_tokens": summary["num_tokens"],
        "tokens_per_second": summary["tokens_per_second"],
        "peak_memory_bytes": summary["peak_memory_bytes"],
        "peak_gpu_memory_bytes": summary["peak_gpu_memory_bytes"],
        "final_loss": summary["final_loss"],
        "product_gflops": round(gflops, 1),
        "product_limit_tokens_per_second": round(limit, 1),
        "share_of_product_limit": round(summary["tokens_per_second"] / limit, 3),
    }


def main() -> None:
    """Measure, print, and write the JSON result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", default="135m", choices=SHAPES)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--dtype", default="auto", choices=["auto", *DTYPES])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    measured = measure(SHAPES[arguments.shape], arguments.steps, arguments.batch, arguments.dtype)
    result = {"shape": arguments.shape, **measured}
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
