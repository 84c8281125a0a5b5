"""How fast a LoRA run trains on this CPU, against the limit that its matrix products set.

    make bench            (or: python benchmarks/train_speed.py [--steps N] [--out FILE.json])

The model has the 135 M parameter shape with random weights (speed does not depend on them): hidden 576, ffn 1536, 30
layers, 9/3 heads, vocabulary 49,152, tied. LoRA r=8 on q, k, v, o, batch 4, rows of the lengths of an instruction
dataset (mean about 206 tokens, 9 % prompt). Printed: real tokens per second (no padding exists), peak memory, and the
share of the time that the products alone would need at this machine's measured matrix-product speed.
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
from llmlora.core.job import DataSource, JobConfig
from llmlora.engine.device import DTYPES
from llmlora.engine.train import fit, package_versions

SHAPE = {
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49_152,
    "tie_word_embeddings": True,
    "max_position_embeddings": 2048,
}
BODY_PARAMETERS = 106e6
OUTPUT_PARAMETERS = 28e6
NUM_ROWS = 64
PROMPT_SHARE = 0.09


class RandomRows:
    """Rows of random tokens with the lengths of an instruction dataset."""

    def __init__(self, num_rows: int, seed: int = 0) -> None:
        random = np.random.default_rng(seed)
        lengths = np.clip(random.gamma(2.0, 103.0, num_rows), 24, 1024).astype(int)
        self.rows = []
        for length in lengths:
            ids = random.integers(0, SHAPE["vocab_size"], length).astype(np.int32)
            labels = ids.copy()
            labels[: max(1, int(PROMPT_SHARE * length))] = -100
            self.rows.append((ids, labels))

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Return token ids and labels of one row."""
        return self.rows[index]


def product_gflops(dtype: torch.dtype) -> float:
    """Return the speed of the model's own product shapes, in GFLOP/s, all threads."""
    left, right = torch.randn(824, 576).to(dtype), torch.randn(576, 1536).to(dtype)
    left @ right
    started, count = time.perf_counter(), 60
    for _ in range(count):
        left @ right
    return 2 * 824 * 576 * 1536 * count / (time.perf_counter() - started) / 1e9


def measure(steps: int, dtype: str) -> dict[str, Any]:
    """Train some steps and return the measured numbers."""
    rows = RandomRows(NUM_ROWS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = folder / "base"
        torch.manual_seed(0)
        LlamaForCausalLM(LlamaConfig(**SHAPE)).save_pretrained(base)
        config = TrainConfig(
            r=8,
            lora_alpha=16,
            target_modules=("q_proj", "k_proj", "v_proj", "o_proj"),
            per_device_train_batch_size=4,
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
        summary = fit(job, folder / "job", 1, (rows, None), EventWriter(run, 1), False).summary()
    label_tokens = sum(int((labels[1:] != -100).sum()) for _, labels in rows.rows)
    label_share = label_tokens / sum(len(ids) for ids, _ in rows.rows)
    gflops = product_gflops(DTYPES[summary["dtype"]])
    limit = gflops * 1e9 / (4 * (BODY_PARAMETERS + OUTPUT_PARAMETERS * label_share))
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": platform.processor() or platform.machine(),
        "num_threads": torch.get_num_threads(),
        "versions": package_versions(),
        "dtype": summary["dtype"],
        "num_steps": summary["num_steps"],
        "num_tokens": summary["num_tokens"],
        "tokens_per_second": summary["tokens_per_second"],
        "peak_memory_bytes": summary["peak_memory_bytes"],
        "final_loss": summary["final_loss"],
        "product_gflops": round(gflops, 1),
        "product_limit_tokens_per_second": round(limit, 1),
        "share_of_product_limit": round(summary["tokens_per_second"] / limit, 3),
    }


def main() -> None:
    """Measure, print, and write the JSON result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--dtype", default="auto", choices=["auto", *DTYPES])
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    result = measure(arguments.steps, arguments.dtype)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
