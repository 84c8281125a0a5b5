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


def test_float16_is_for_cuda_alone_where_the_loss_has_a_scaler(monkeypatch):
    monkeypatch.setattr(device, "pick_device", lambda: "mps")
    replaced = device.plan_device("float16")
    assert (replaced.device, replaced.dtype) == ("mps", "float32")
    assert replaced.reason == "engine.dtype.float16_cuda_only"
    assert has_text(replaced.reason)
    assert has_text("cli.warning.float16_cuda_only")
    monkeypatch.setattr(device, "pick_device", lambda: "cuda")
    assert device.plan_device("float16").dtype == "float16"


def test_the_probe_measures_something():
    assert device._matmul_gflops(torch.float32) > 0.1


def test_threads_follow_the_users_setting(monkeypatch):
    monkeypatch.setattr(device, "_fastest_threads", lambda cores: cores)
    monkeypatch.setattr(device, "usable_cores", lambda: 6)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert device._num_threads(10, "cpu") == 3
    for nonsense in ("many", "0", "-2", ""):
        monkeypatch.setenv("OMP_NUM_THREADS", nonsense)
        assert (device._num_threads(10, "cpu"), device._num_threads(10**9, "cpu")) == (1, 6)


@pytest.mark.parametrize(
    ("cores", "speeds", "chosen"),
    [
        (1, {}, 1),
        (2, {1: [100] * 5, 2: [190] * 5}, 2),  # an idle machine
        (2, {1: [90] * 5, 2: [30, 190, 40, 35, 60]}, 1),  # a busy one, which lets a product through now and then
        (16, {16: [1000] * 5, 8: [900] * 5, 4: [480] * 5, 2: [250] * 5, 1: [130] * 5}, 8),  # half of them are busy
        (6, {6: [500] * 5, 3: [300] * 5, 1: [100] * 5}, 6),
    ],
)
def test_as_many_threads_as_pay_are_used(monkeypatch, cores, speeds, chosen):
    threads, left = [], {count: iter(found) for count, found in speeds.items()}
    monkeypatch.setattr(torch, "set_num_threads", threads.append)
    monkeypatch.setattr(device, "_products_per_second", lambda: next(left[threads[-1]]))
    assert device._fastest_threads(cores) == chosen
    assert len(threads) == len(speeds) * device.PROBE_ROUNDS
    assert threads[: len(speeds)] == sorted(speeds, reverse=True)  # in turn, not one after the other


def test_a_stretch_in_which_nothing_was_computed_counts(monkeypatch):
    """The best single product hides that its thread waited for most of the time."""
    clock = iter([0.0, 0.001, 0.002, 1.0, 1.0])
    monkeypatch.setattr(device.time, "perf_counter", lambda: next(clock))
    assert device._products_per_second() == 2


def probe(monkeypatch, readings):
    left = {DTYPE[name]: iter(found) for name, found in readings.items()}
    asked = []
    monkeypatch.setattr(device, "_matmul_gflops", lambda dtype: asked.append(dtype) or next(left[dtype]))
    monkeypatch.setattr(device, "pick_device", lambda: "cpu")
    return asked


DTYPE = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def test_one_disturbed_reading_decides_nothing(monkeypatch):
    asked = probe(monkeypatch, {"float32": [17, 600, 610, 605, 600], "bfloat16": [651, 640, 650, 645, 640]})
    plan = device.plan_device("auto")
    assert (plan.dtype, plan.gflops) == ("float32", {"float32": 610, "bfloat16": 651})
    assert asked[:4] == [torch.float32, torch.bfloat16] * 2


def test_implausible_readings_are_taken_again(monkeypatch):
    probe(monkeypatch, {"float32": [17] * 7 + [600], "bfloat16": [651] * 8})
    assert device.plan_device("auto").gflops == {"float32": 600, "bfloat16": 651}


def test_a_format_without_kernels_is_not_waited_for(monkeypatch):
    clock = [0.0]

    def slow(dtype):
        clock[0] += 0.6 if dtype is torch.bfloat16 else 0.02
        return 0.8 if dtype is torch.bfloat16 else 36.0

    monkeypatch.setattr(device, "_matmul_gflops", slow)
    monkeypatch.setattr(device.time, "perf_counter", lambda: clock[0])
    assert device._measured_formats() == {"float32": 36.0, "bfloat16": 0.8}
    assert clock[0] < 1


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
