"""Which device computes, in which number format, with how many threads, and why."""

from __future__ import annotations

import os
import time
from dataclasses import asdict, dataclass, replace
from statistics import median
from typing import Any

import torch

from llmlora.core.machine import SMALL_MODEL, settled_threads, usable_cores

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
PROBE_SIZE = 512
PROBE_SECONDS = 0.02
PROBE_ROUNDS = 5  # of all candidates in turn, so that what else runs meets each of them alike
PATIENCE_SECONDS = 0.5  # a format without kernels of its own takes that long for one round
IMPLAUSIBLE = 16  # no CPU computes one format so many times as fast as the other; something came in between
FASTEST_SHARE = 0.8  # fewer threads are enough when they are nearly as fast: they leave room for what else runs
# Kernels that oneDNN, and PyTorch above it, keep compiled for the shapes seen last; one step needs about thirty. Steps
# of unpadded rows have new shapes each time, and with the default of 1,024 memory grows by 9 MB with every step.
KERNEL_CACHES = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
KEPT_KERNELS = 64
FASTER_ENOUGH = 1.2  # bfloat16 loses precision, so it has to buy at least a fifth more speed


@dataclass(frozen=True)
class DevicePlan:
    """The device settings that decide the bits of a result; frozen at the first start of a job."""

    device: str
    dtype: str
    num_threads: int
    reason: str
    gflops: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return asdict(self)


def plan_device(requested_dtype: str = "auto", num_parameters: int = SMALL_MODEL) -> DevicePlan:
    """Return the device and number format to use; on a CPU the format is measured, not assumed.

    `reason` is the locale key of one sentence that says why. An explicit format is kept, except float16 where
    there is no CUDA: on a CPU its products run at a hundredth of the speed, and the scaler of the loss that it needs is
    CUDA's. It is replaced by what would be chosen, and the reason says so.
    """
    _limit_kernel_caches()
    device = pick_device()
    threads = _num_threads(num_parameters, device)
    torch.set_num_threads(threads)
    gflops: dict[str, float] = {}
    if requested_dtype == "float16" and device != "cuda":
        reason = "engine.dtype.float16_slow" if device == "cpu" else "engine.dtype.float16_cuda_only"
        return replace(plan_device("auto", num_parameters), reason=reason)
    if requested_dtype != "auto":
        return DevicePlan(device, requested_dtype, threads, "engine.dtype.requested", gflops)
    if device == "cuda":
        dtype = "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
        return DevicePlan(device, dtype, threads, f"engine.dtype.cuda_{dtype}", gflops)
    if device == "mps":
        return DevicePlan(device, "float32", threads, "engine.dtype.mps", gflops)
    gflops = _measured_formats()
    faster = gflops["bfloat16"] > FASTER_ENOUGH * gflops["float32"]
    dtype = "bfloat16" if faster else "float32"
    return DevicePlan(device, dtype, threads, f"engine.dtype.cpu_{dtype}", gflops)


def apply_plan(plan: DevicePlan) -> None:
    """Set the process up for a plan: its device, threads, few compiled kernels, and denormals flushed to zero.

    Accelerate would take a GPU that is there, also for a job that was begun without it.
    Second moments of adapter matrices are denormal while B is 0; without the flush AdamW spends 13 % in `sqrt`.
    Products of float32 numbers on a GPU take TF32 inputs: three more bits than bfloat16, many times as fast as float32.
    """
    _limit_kernel_caches()
    torch.set_num_threads(plan.num_threads)
    torch.set_flush_denormal(True)
    os.environ["ACCELERATE_USE_CPU"] = str(plan.device == "cpu")
    torch.set_float32_matmul_precision("high" if plan.device == "cuda" else "highest")


def _limit_kernel_caches() -> None:
    """Keep fewer kernels than the libraries would, unless the user says; it counts from the first product on."""
    for name in KERNEL_CACHES:
        os.environ.setdefault(name, str(KEPT_KERNELS))


def _num_threads(num_parameters: int, device: str) -> int:
    """Return the threads that are settled without a measurement, else as many as compute fastest now."""
    if threads := settled_threads(num_parameters):
        return threads
    return _fastest_threads(usable_cores()) if device == "cpu" else usable_cores()


def _fastest_threads(cores: int) -> int:
    """Return how many threads to compute with, all cores or a half, a quarter, … of them, measured in turn.

    Threads wait for each other. On cores that others use as well, two are slower than one, and no load average says so
    in time.
    """
    candidates = [cores >> halvings for halvings in range(cores.bit_length())]
    if len(candidates) == 1:
        return 1
    speeds: dict[int, list[float]] = {count: [] for count in candidates}
    for _ in range(PROBE_ROUNDS):
        for count in candidates:
            torch.set_num_threads(count)
            speeds[count].append(_products_per_second())
    typical = {count: median(found) for count, found in speeds.items()}
    return min(count for count in candidates if typical[count] >= FASTEST_SHARE * max(typical.values()))


def _products_per_second() -> float:
    """Return the products of a stretch of time over its seconds: unlike the best of them, waiting counts."""
    number = torch.ones(PROBE_SIZE, PROBE_SIZE)
    number @ number
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < PROBE_SECONDS:
        number @ number
        count += 1
    return count / (time.perf_counter() - started)


def _measured_formats() -> dict[str, float]:
    """Return the best GFLOP/s of each number format over some rounds, more of them while they are implausible."""
    best = {"float32": 0.0, "bfloat16": 0.0}
    spent = dict.fromkeys(best, 0.0)
    for rounds in range(1, 3 * PROBE_ROUNDS + 1):
        for name in (name for name in best if spent[name] < PATIENCE_SECONDS):
            started = time.perf_counter()
            best[name] = max(best[name], round(_matmul_gflops(DTYPES[name]), 1))
            spent[name] += time.perf_counter() - started
        if rounds >= PROBE_ROUNDS and max(best.values()) < IMPLAUSIBLE * min(best.values()):
            break
    return best


def pick_device() -> str:
    """Return the device that computes here: cuda, mps or cpu; `LLMLORA_DEVICE=cpu` leaves a GPU alone."""
    if os.environ.get("LLMLORA_DEVICE") == "cpu":
        return "cpu"
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _matmul_gflops(dtype: torch.dtype) -> float:
    left = torch.ones(PROBE_SIZE, PROBE_SIZE, dtype=dtype)
    right = torch.ones(PROBE_SIZE, PROBE_SIZE, dtype=dtype)
    left @ right  # the first product packs and compiles
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < PROBE_SECONDS:
        before = time.perf_counter()
        left @ right
        best = min(best, time.perf_counter() - before)
    return 2 * PROBE_SIZE**3 / best / 1e9
