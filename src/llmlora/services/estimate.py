"""Minutes and memory of a run on this machine, said before it starts; nothing is measured and nothing heavy loaded."""

from __future__ import annotations

import os
from typing import Any

from llmlora.catalog.base_model import BaseModel
from llmlora.catalog.trained_size import TrainedSize
from llmlora.core.config import TrainConfig
from llmlora.core.estimate import Speed, Workload, estimated_memory, estimated_seconds
from llmlora.core.layout import jobs_dir
from llmlora.core.machine import settled_threads, usable_cores
from llmlora.core.run_plan import RunPlan
from llmlora.services.doctor import cpu_flags, newest_device_plan, nvidia_gpus

# Billions of operations per second and core where no job has measured them yet, by the widest instructions there are.
CORE_GFLOPS = {"avx512f": 120.0, "avx2": 80.0}
PLAIN_CORE_GFLOPS = 20.0


def estimate(
    base: BaseModel, config: TrainConfig, size: TrainedSize, plan: RunPlan, row_bytes: float
) -> dict[str, Any] | None:
    """Return a range of `seconds` and the peak `memory_bytes`; None where a GPU would compute.

    `row_bytes` is the mean size of a row's texts in UTF-8.
    """
    if computes_on_gpu():
        return None
    work = workload(base, config, size, plan, row_bytes)
    speed = machine_speed(base.num_parameters, config.dtype)
    seconds = [round(end, 1) for end in estimated_seconds(work, config, speed)]
    return {"seconds": seconds, "memory_bytes": estimated_memory(work, config, speed)}


def computes_on_gpu() -> bool:
    """Tell whether a GPU would compute, whose time and memory are not estimated."""
    return bool(nvidia_gpus()) and os.environ.get("LLMLORA_DEVICE") != "cpu"


def workload(base: BaseModel, config: TrainConfig, size: TrainedSize, plan: RunPlan, row_bytes: float) -> Workload:
    """Return what decides time and memory of a run, beside its settings."""
    return Workload(
        num_parameters=base.num_parameters,
        num_trained=size.num_trained,
        num_layers=len({layer.block for layer in size.layers}),
        num_outputs=sum(layer.num_outputs for layer in size.layers),
        num_layer_weights=sum(layer.num_weights for layer in size.layers),
        vocab_size=base.vocab_size,
        bytes_in_blocks=base.bytes_in_blocks,
        num_rows=plan.num_train_rows,
        num_steps=plan.num_steps,
        steps_per_epoch=plan.steps_per_epoch,
        bytes_per_row=row_bytes,
    )


def machine_speed(num_parameters: int, dtype: str) -> Speed:
    """Return this machine's speed: as the newest job measured it, else assumed from the CPU; and how busy it is."""
    threads = settled_threads(num_parameters) or usable_cores()
    measured = newest_device_plan(jobs_dir()) or {}
    used = dtype if dtype in ("float32", "bfloat16") else measured.get("dtype", "float32")
    gflops = (measured.get("gflops") or {}).get(used) or threads * _assumed_core_gflops()
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    slowdown = max(1.0, (busy + threads) / usable_cores())
    return Speed(float(gflops), 2 if used == "bfloat16" else 4, slowdown)


def _assumed_core_gflops() -> float:
    flags = cpu_flags()
    return next((gflops for flag, gflops in CORE_GFLOPS.items() if flag in flags), PLAIN_CORE_GFLOPS)
