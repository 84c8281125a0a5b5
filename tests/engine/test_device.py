"""The number format is measured, asked for, or replaced with a reason."""

import os

import pytest
import torch

from llmlora.core.locale import has_text
from llmlora.engine import device


@pytest.mark.parametrize(
    ("float32", "bfloat16", "chosen"), [(100.0, 430.0, "bfloat16"), (100.0, 110.0, "float32"), (100.0, 40.0, "float32")]
)
def test_the_faster_format_wins_when_it_is_clearly_faster(monkeypatch, float32, bfloat16, chosen):
    speeds = {torch.float32: float32, torch.bfloat16: bfloat16}
    monkeypatch.setattr(device, "_matmul_gflops", lambda dtype: speeds[dtype])
    monkeypatch.setattr(device, "pick_device", lambda: "cpu")
    plan = device.plan_device("auto")
    assert plan.dtype == chosen
    assert plan.gflops == {"float32": float32, "bfloat16": bfloat16}
    assert has_text(plan.reason)


def test_a_requested_format_is_kept_but_float16_on_a_cpu_is_replaced(monkeypatch):
    monkeypatch.setattr(device, "_matmul_gflops", lambda dtype: 1.0)
    monkeypatch.setattr(device, "pick_device", lambda: "cpu")
    assert device.plan_device("bfloat16").dtype == "bfloat16"
    replaced = device.plan_device("float16")
    assert replaced.dtype == "float32"
    assert replaced.reason == "engine.dtype.float16_slow"
    assert has_text(replaced.reason)


def test_the_probe_measures_something():
    assert device._matmul_gflops(torch.float32) > 0.1


def test_threads_follow_the_users_setting(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert device._num_threads(10) == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    assert device._num_threads(10) == 1
    assert device._num_threads(10**9) == (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )


def test_a_plan_survives_json():
    plan = device.DevicePlan("cpu", "float32", 2, "engine.dtype.requested", {})
    assert device.DevicePlan(**plan.to_dict()) == plan


def test_few_kernels_are_kept_unless_the_user_says_otherwise(monkeypatch):
    kept, other = device.KERNEL_CACHES
    monkeypatch.delenv(kept, raising=False)
    monkeypatch.setenv(other, "7")
    device.plan_device("float32")
    assert (os.environ[kept], os.environ[other]) == (str(device.KEPT_KERNELS), "7")


@pytest.mark.parametrize(
    ("wanted", "found", "uses_cpu", "precision"), [("", "cuda", "False", "high"), ("cpu", "cpu", "True", "highest")]
)
def test_a_gpu_is_taken_unless_the_user_says_cpu_and_accelerate_follows(
    monkeypatch, wanted, found, uses_cpu, precision
):
    set_to = []
    monkeypatch.setenv("LLMLORA_DEVICE", wanted)
    monkeypatch.setenv("ACCELERATE_USE_CPU", "")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "set_float32_matmul_precision", set_to.append)
    assert device.pick_device() == found
    device.apply_plan(device.DevicePlan(found, "float32", 1, "engine.dtype.requested", {}))
    assert (os.environ["ACCELERATE_USE_CPU"], set_to) == (uses_cpu, [precision])
