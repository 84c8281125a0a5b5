"""What only a GPU can show; skipped without one."""

from __future__ import annotations

import pytest
import torch
from accelerate.state import AcceleratorState

from engine.engine_runs import MemoryRows, StopAfter, losses, run_job, tiny_llama
from llmlora.core.errors import Stopped
from llmlora.engine.attention import packed_attention

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU here")
LENGTHS = [5, 1, 130, 40, 700]


@pytest.fixture(autouse=True)
def fresh_accelerator(monkeypatch):
    """Let each test choose its device: Accelerate keeps the first one of a process."""
    monkeypatch.delenv("LLMLORA_DEVICE")
    yield
    AcceleratorState._reset_state(True)


@pytest.mark.parametrize("options", [{}, {"scaling": 0.3}, {"sliding_window": 33}], ids=["plain", "scaled", "window"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_one_kernel_over_all_examples_gives_what_float32_gives_example_by_example(dtype, options):
    torch.manual_seed(0)
    shapes = [(1, heads, sum(LENGTHS), 64) for heads in (8, 2, 2)]
    given = [torch.randn(shape, device="cuda").to(dtype).requires_grad_() for shape in shapes]
    exact = [states.detach().float().requires_grad_() for states in given]
    module = torch.nn.Module().eval()
    found = packed_attention(module, *given, None, example_lengths=LENGTHS, **options)[0]
    wanted = packed_attention(module, *exact, None, example_lengths=LENGTHS, **options)[0]
    outer = torch.randn_like(wanted)
    pairs = [(found, wanted)]
    pairs += zip(
        torch.autograd.grad(found, given, outer.to(dtype)), torch.autograd.grad(wanted, exact, outer), strict=True
    )
    for one, other in pairs:
        assert (one.float() - other).norm() / other.norm() < 0.01


@pytest.mark.parametrize(
    ("settings", "tolerance"), [({"dtype": "float32"}, 2e-3), ({"dtype": "bfloat16"}, 2e-2), ({"method": "full"}, 2e-3)]
)
def test_the_losses_of_a_run_are_those_of_the_cpu(tmp_path, monkeypatch, settings, tolerance):
    base, rows = tiny_llama(tmp_path), MemoryRows(24)
    run_job(base, tmp_path / "gpu", rows, **settings)
    monkeypatch.setenv("LLMLORA_DEVICE", "cpu")
    AcceleratorState._reset_state(True)
    run_job(base, tmp_path / "cpu", rows, **{**settings, "dtype": "float32"})
    pairs = list(zip(losses(tmp_path / "gpu"), losses(tmp_path / "cpu"), strict=True))
    assert len(pairs) == 18
    assert all(abs(one - other) < tolerance * other for one, other in pairs), pairs


def test_a_stopped_run_goes_on_where_it_was(tmp_path):
    """Near, not equal to the bit: FlashAttention sums gradients in no fixed order."""
    base, rows = tiny_llama(tmp_path), MemoryRows(24)
    run_job(base, tmp_path / "whole", rows, dtype="bfloat16")
    with pytest.raises(Stopped):
        run_job(base, tmp_path / "stopped", rows, dtype="bfloat16", stop=StopAfter(9))
    resumed = run_job(base, tmp_path / "stopped", rows, dtype="bfloat16")
    assert resumed.plan.device == "cuda"
    assert resumed.summary()["peak_gpu_memory_bytes"] > 0
    pairs = list(zip(losses(tmp_path / "whole"), losses(tmp_path / "stopped"), strict=True))
    assert len(pairs) == 18
    assert all(abs(one - other) < 0.02 * other for one, other in pairs), pairs
