"""A base that stays in its blocks: what it costs in time, and how little memory it needs.

    python benchmarks/qlora.py speed     # steps of a 1.1 B model, 512 tokens each, in blocks and as bfloat16, in turn
    python benchmarks/qlora.py memory    # the peak of a few steps of a 7 B model in Q4_K_M

Both files are made here: Llama's architecture and nano's tokenizer, every matrix with random blocks of the types that
llama.cpp's mix has. Prints JSON. Seconds of the CPU count as well, for machines where others compute.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.gguf_header import GgufHeader, GgufTensor, read_gguf_header
from llmlora.core.config import TrainConfig
from llmlora.engine.batch import packed_batch
from llmlora.engine.device import apply_plan, plan_device
from llmlora.engine.load import load_base
from llmlora.engine.loss import attention_for, summed_loss
from llmlora.engine.method import apply_method, trainable_parameters
from llmlora.engine.quantized_weight import quantized_types
from llmlora.gguf.backends import backend_for
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.mix import MixModel, tensor_type
from llmlora.gguf.writer import write_gguf
from llmlora.weights.base import Base, open_base, open_folder

NUM_TOKENS = 512
NUM_STEPS = {"speed": 4, "memory": 3}
RANDOM_ROWS = 64


@dataclass(frozen=True)
class Shape:
    """The sizes of a model of Llama's architecture."""

    num_layers: int
    hidden: int
    ffn: int
    heads: int
    kv_heads: int
    vocabulary: int = 32_000

    def matrices(self) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield the GGUF name and the shape of every matrix."""
        narrow = self.hidden // self.heads * self.kv_heads
        yield "token_embd", (self.vocabulary, self.hidden)
        yield "output", (self.vocabulary, self.hidden)
        for layer in range(self.num_layers):
            for part, rows in (("q", self.hidden), ("k", narrow), ("v", narrow), ("output", self.hidden)):
                yield f"blk.{layer}.attn_{part}", (rows, self.hidden)
            yield f"blk.{layer}.ffn_gate", (self.ffn, self.hidden)
            yield f"blk.{layer}.ffn_up", (self.ffn, self.hidden)
            yield f"blk.{layer}.ffn_down", (self.hidden, self.ffn)

    def norms(self) -> Iterator[str]:
        """Yield the GGUF name of every norm."""
        yield "output_norm"
        yield from (f"blk.{layer}.{part}_norm" for layer in range(self.num_layers) for part in ("attn", "ffn"))


SHAPES = {"speed": Shape(22, 2048, 5632, 32, 4), "memory": Shape(32, 4096, 11_008, 32, 32)}


def write_shape(shape: Shape, output: Path) -> None:
    """Write a model of a shape as a file of Q4_K_M."""
    nano, plain = open_folder(resolve_base_model("nano").path), output.with_suffix(".nano")
    write_gguf(nano.source, nano.config, nano.tokenizer_dir, plain, "F16", output.stem)
    metadata = dict(read_gguf_header(plain).metadata)
    plain.unlink()
    sizes = {
        "block_count": shape.num_layers,
        "embedding_length": shape.hidden,
        "feed_forward_length": shape.ffn,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "vocab_size": shape.vocabulary,
        "rope.dimension_count": shape.hidden // shape.heads,
    }
    metadata |= {f"llama.{name}": value for name, value in sizes.items()}
    metadata = {key: value for key, value in metadata.items() if not key.endswith(("key_length", "value_length"))}
    tensors = [GgufTensor(f"{name}.weight", matrix, "F16", 0, 0) for name, matrix in shape.matrices()]
    mix = MixModel.of(GgufHeader(3, metadata, {}, tuple(tensors), 32, 0))
    plans = [_plan(replace(tensor, ggml_type=tensor_type(tensor, "Q4_K_M", mix))) for tensor in tensors]
    ones = np.ones(shape.hidden, np.float32)
    plans += [TensorPlan(f"{name}.weight", ones.shape, "F32", lambda: iter([ones])) for name in shape.norms()]
    write_container(output, {**metadata, "general.file_type": 15}, plans)


def _plan(tensor: GgufTensor) -> TensorPlan:
    rows, length = tensor.shape

    def chunks() -> Iterator[np.ndarray]:
        raw = _random_rows(tensor.ggml_type, length)
        yield from (raw[: min(RANDOM_ROWS, rows - start)] for start in range(0, rows, RANDOM_ROWS))

    return TensorPlan(tensor.name, tensor.shape, tensor.ggml_type, chunks)


@cache
def _random_rows(ggml_type: str, length: int) -> np.ndarray:
    values = np.random.default_rng(0).normal(0, length**-0.5, (RANDOM_ROWS, length)).astype(np.float32)
    backend = backend_for(ggml_type)
    assert backend is not None
    return backend[1](values, ggml_type).reshape(RANDOM_ROWS, -1)


class Bench:
    """A base with an adapter on it, one micro-batch, and an optimizer."""

    def __init__(self, base: Base, method: Any, **settings: Any) -> None:
        config = TrainConfig(method=method, r=8, **settings)
        model = load_base(base, "bfloat16", is_quantized=method == "qlora")
        self.types = quantized_types(model)
        self.model = apply_method(model, config, base)
        if config.gradient_checkpointing:
            model.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
        self.model.train()
        self.optimizer = torch.optim.AdamW([weight for _, weight in trainable_parameters(self.model)], lr=1e-3)
        ids = np.random.default_rng(1).integers(8, 6000, NUM_TOKENS).astype(np.int32)
        self.batch = packed_batch([(ids, ids.copy())])

    def step(self) -> tuple[float, float, float]:
        """Take a step; return its seconds by the clock and of the CPU, and the loss."""
        began, used = time.perf_counter(), time.process_time()
        with attention_for(self.model, packing=True):
            loss = summed_loss(self.model, self.batch) / NUM_TOKENS
            loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad()
        return time.perf_counter() - began, time.process_time() - used, float(loss.detach())


def speed(base: Base) -> dict[str, Any]:
    """Measure steps of both kinds in turn, the first of each left out."""
    benches = {method: Bench(base, method) for method in ("lora", "qlora")}
    steps: dict[str, list[tuple[float, float, float]]] = {method: [] for method in benches}
    for _ in range(NUM_STEPS["speed"] + 1):
        for method, bench in benches.items():
            steps[method].append(bench.step())
    medians = {
        method: [round(statistics.median(column), 3) for column in list(zip(*found[1:], strict=True))[:2]]
        for method, found in steps.items()
    }
    (clock, cpu), (clock_in_blocks, cpu_in_blocks) = medians["lora"], medians["qlora"]
    return {
        "types": benches["qlora"].types,
        "seconds": {method: found[0] for method, found in medians.items()},
        "cpu_seconds": {method: found[1] for method, found in medians.items()},
        "slower": round(clock_in_blocks / clock - 1, 3),
        "slower_by_cpu_seconds": round(cpu_in_blocks / cpu - 1, 3),
        "losses_are_equal": [loss for *_, loss in steps["lora"]] == [loss for *_, loss in steps["qlora"]],
    }


def memory(base: Base) -> dict[str, Any]:
    """Take some steps and read the peak of this process."""
    bench = Bench(base, "qlora", gradient_checkpointing=True)
    steps = [bench.step() for _ in range(NUM_STEPS["memory"])]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {
        "types": bench.types,
        "num_parameters": sum(bench.types.values()),
        "peak_memory_bytes": peak,
        "seconds": [round(seconds, 1) for seconds, _, _ in steps],
        "losses": [loss for *_, loss in steps],
    }


def main(part: str) -> None:
    """Measure one part and print it."""
    apply_plan(replace(plan_device("bfloat16"), num_threads=int(os.environ.get("OMP_NUM_THREADS", 2))))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{part}.gguf"
        write_shape(SHAPES[part], file)
        size = file.stat().st_size
        found = {"speed": speed, "memory": memory}[part](open_base(file))
    machine = {"machine": platform.platform(), "threads": torch.get_num_threads(), "load": os.getloadavg()[0]}
    print(json.dumps({"part": part, "file_bytes": size, "tokens": NUM_TOKENS, **machine, **found}))


if __name__ == "__main__":
    main(sys.argv[1])
