"""Memory stays flat over many steps of other shapes, and is as small as the blocks of a base that stays in them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from llmlora.services import limited_headers
from real_models import original_gguf, real_model

ROOT = Path(__file__).resolve().parents[2]
MAX_GROWTH_MB = 150
STEPS = (30, 90)
CHILD = """
import json, sys
from pathlib import Path
import numpy as np
import torch
from llmlora.catalog.base_model import resolve_base_model
from llmlora.core.config import TrainConfig
from llmlora.engine.batch import packed_batch
from llmlora.engine.device import apply_plan, plan_device
from llmlora.engine.load import load_base
from llmlora.engine.loss import attention_for, summed_loss
from llmlora.engine.method import apply_method
from llmlora.weights.base import open_folder

apply_plan(plan_device("bfloat16", 0))
base = open_folder(resolve_base_model("nano").path)
model = apply_method(load_base(base, "bfloat16"), TrainConfig(r=8), base)
chance, sizes = np.random.default_rng(0), {}
with attention_for(model, packing=True):
    for step in range(1, int(sys.argv[1]) + 1):
        rows = [chance.integers(4, 6000, int(chance.integers(40, 400))).astype(np.int32) for _ in range(4)]
        summed_loss(model, packed_batch([(ids, ids.copy()) for ids in rows])).backward()
        model.zero_grad()
        status = Path("/proc/self/status").read_text()
        sizes[step] = int(status.split("VmRSS:")[1].split()[0]) // 1024
print(json.dumps(sizes))
"""


@pytest.mark.gate
@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this system does not tell a process's memory")
def test_memory_does_not_grow_with_the_steps() -> None:
    child = [sys.executable, "-c", CHILD, str(STEPS[1])]
    finished = subprocess.run(child, capture_output=True, text=True, check=True)
    sizes = json.loads(finished.stdout.splitlines()[-1])
    early, late = (max(sizes[str(step)] for step in range(last - 10, last + 1)) for last in STEPS)
    print(f"{early} MB up to step {STEPS[0]}, {late} MB up to step {STEPS[1]}")
    assert late - early < MAX_GROWTH_MB


@pytest.mark.gate
def test_a_base_of_7_billion_weights_trains_within_8_gb_in_its_blocks() -> None:
    child = [sys.executable, str(ROOT / "benchmarks" / "qlora.py"), "memory"]
    finished = subprocess.run(child, capture_output=True, text=True, check=True)
    found = json.loads(finished.stdout.splitlines()[-1])
    print(found)
    assert found["num_parameters"] > 6.5e9
    assert set(found["types"]) == {"Q4_K", "Q6_K"}
    assert found["losses"][-1] < found["losses"][0]
    assert found["peak_memory_bytes"] < 8e9


@pytest.mark.gate
def test_the_headers_of_a_model_with_262144_tokens_take_half_of_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limited_headers, "READER_MEMORY_BYTES", limited_headers.READER_MEMORY_BYTES // 2)
    reader = limited_headers.LimitedHeaders()
    assert reader.read("model", real_model("gemma3"))["vocab_size"] == 262_144
    assert reader.read("gguf", original_gguf("gemma3"))["metadata"]["general.architecture"] == "gemma3"
