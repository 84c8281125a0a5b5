"""Time and memory said before a run, on this machine and on others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.trained_size import trained_size
from llmlora.core.recommend import Facts, Resolved, resolve_config
from llmlora.services import estimate as estimate_service
from llmlora.services.estimate import estimate, machine_speed

NANO = resolve_base_model("nano")


def settled(rows: int, **overrides: object) -> Resolved:
    return resolve_config(Facts(rows, NANO.num_parameters, NANO.context_length, NANO.recommended), overrides=overrides)


@pytest.fixture(autouse=True)
def quiet_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate_service, "nvidia_gpus", list)
    monkeypatch.setattr(estimate_service.os, "getloadavg", lambda: (0.0, 0.0, 0.0))


def said(rows: int = 20, row_bytes: float = 150, **overrides: object) -> tuple[float, float, float]:
    found = settled(rows, **overrides)
    result = estimate(NANO, found.config, trained_size(NANO.tensors, found.config), found.plan, row_bytes)
    assert result is not None
    return *result["seconds"], result["memory_bytes"]


def test_a_range_of_time_and_the_peak_memory_are_said() -> None:
    low, high, memory = said()
    assert 0 < low < high < 4 * low
    assert 300e6 < memory < 700e6


def test_more_work_takes_longer_and_larger_batches_need_more_memory() -> None:
    assert said(num_train_epochs=60)[0] > said()[0]
    assert said(row_bytes=1500)[0] > said()[0]
    assert (
        said(per_device_train_batch_size=1, gradient_accumulation_steps=4)[0] > said()[0]
    )  # the same rows, one by one
    assert said(per_device_train_batch_size=20, row_bytes=3000)[2] > said(row_bytes=3000)[2]
    assert said(method="full")[2] > said()[2]


def test_a_base_in_blocks_needs_less_memory_and_more_time() -> None:
    assert NANO.num_parameters * 4.5 / 8 < NANO.bytes_in_blocks < NANO.num_parameters * 6.6 / 8
    assert said(method="qlora")[2] < said()[2]
    assert said(method="qlora")[0] > said()[0]


def test_a_busy_machine_takes_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    before = said()[0]
    high = said()[1]
    monkeypatch.setattr(estimate_service.os, "getloadavg", lambda: (3.0 * estimate_service.usable_cores(), 0.0, 0.0))
    assert said()[0] >= 1.4 * before
    assert said()[1] >= 2 * high


def test_nothing_is_said_where_a_gpu_computes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate_service, "nvidia_gpus", lambda: ["H200, 143771 MiB"])
    monkeypatch.delenv("LLMLORA_DEVICE", raising=False)
    found = settled(20)
    assert estimate(NANO, found.config, trained_size(NANO.tensors, found.config), found.plan, 150) is None
    monkeypatch.setenv("LLMLORA_DEVICE", "cpu")
    assert estimate(NANO, found.config, trained_size(NANO.tensors, found.config), found.plan, 150) is not None


def test_the_speed_is_that_which_the_newest_job_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = {"dtype": "bfloat16", "gflops": {"float32": 50.0, "bfloat16": 300.0}}
    monkeypatch.setattr(estimate_service, "newest_device_plan", lambda jobs: plan)
    assert (machine_speed(10**9, "auto").gflops, machine_speed(10**9, "auto").bytes_per_weight) == (300.0, 2)
    assert (machine_speed(10**9, "float32").gflops, machine_speed(10**9, "float32").bytes_per_weight) == (50.0, 4)
    monkeypatch.setattr(estimate_service, "newest_device_plan", lambda jobs: None)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setattr(estimate_service, "cpu_flags", lambda: ["avx2"])
    assert machine_speed(10**9, "auto").gflops == 3 * estimate_service.CORE_GFLOPS["avx2"]


RESULTS = Path(__file__).resolve().parents[2] / "benchmarks" / "results" / "2026-11-29-estimates.json"


def test_measured_runs_lie_in_what_was_said_before_them() -> None:
    runs = json.loads(RESULTS.read_text(encoding="utf-8"))["runs"]
    assert {run["model"] for run in runs} == {"nano", "smollm2", "gemma3"}
    assert len(runs) >= 4
    for run in runs:
        low, high = run["said"]["seconds"]
        assert low <= run["seconds"] <= high, run
        assert abs(run["said"]["memory_bytes"] / run["peak_memory_bytes"] - 1) <= 0.25, run
