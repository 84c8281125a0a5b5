"""A base in NF4, as a GPU holds it: bitsandbytes' numbers through the seam that blocks go through on the CPU."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from engine.engine_runs import MemoryRows, losses, run_job, tiny_llama
from llmlora.core.config import TrainConfig, build_config
from llmlora.core.errors import ConfigError, PackageMissing
from llmlora.engine.load import load_base
from llmlora.engine.nf4_matrix import Nf4Matrix
from llmlora.engine.quantized_weight import QuantizedWeight, quantized_types
from llmlora.weights.base import open_base
from llmlora.worker.check_method import _check_quantization

BESIDE = Path(sys.prefix) / "nf4"  # in the environment itself PEFT would load it at each of a thousand starts


@pytest.fixture
def bitsandbytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the package importable that `make dev` puts beside the environment."""
    monkeypatch.syspath_prepend(str(BESIDE))
    pytest.importorskip("bitsandbytes")


def values() -> torch.Tensor:
    return torch.randn(48, 128, generator=torch.Generator().manual_seed(2)).bfloat16()


def test_without_bitsandbytes_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes.functional", None)
    with pytest.raises(PackageMissing) as caught:
        Nf4Matrix.of(values())
    assert caught.value.params["package"] == "bitsandbytes"


@pytest.mark.usefixtures("bitsandbytes")
def test_a_product_with_nf4_and_its_gradient_are_those_of_its_numbers() -> None:
    matrix = Nf4Matrix.of(values())
    weight = QuantizedWeight(matrix, torch.bfloat16)
    assert (matrix.shape, matrix.device, matrix.type_name) == ((48, 128), "cpu", "NF4")
    plain = matrix.dequantized(torch.bfloat16)
    assert float((plain - values()).float().square().mean().sqrt()) < 0.11  # of values of size 1
    found = []
    for held in (plain, weight):
        inputs = torch.ones(3, 128, dtype=torch.bfloat16, requires_grad=True)
        functional.linear(inputs, held).float().square().sum().backward()
        found.append(inputs.grad)
    assert torch.equal(found[0], found[1])
    indices = torch.tensor([3, 0, 47])
    assert torch.equal(functional.embedding(indices, weight), plain[indices])


@pytest.mark.usefixtures("bitsandbytes")
def test_a_cpu_trains_in_nf4_on_request_and_uses_the_result_so(tmp_path: Path) -> None:
    base, settings = tiny_llama(tmp_path), {"dtype": "float32", "num_train_epochs": 60}
    trained = run_job(base, tmp_path / "nf4", MemoryRows(8), method="qlora", quantization="nf4", **settings)
    assert list(quantized_types(trained.model)) == ["NF4"]
    found = losses(tmp_path / "nf4")
    assert found[-1] < 0.9 * found[0]
    loaded = load_base(open_base(base), "float32", quantization="nf4")
    for name, weight in loaded.named_parameters():
        if isinstance(weight, QuantizedWeight):
            assert weight.matrix.type_name == "NF4", name
    assert list(quantized_types(load_base(open_base(base), "float32", quantization="auto"))) != ["NF4"]


def test_other_methods_and_devices_are_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError) as caught:
        build_config({"quantization": "nf4"})
    assert caught.value.params["problems"][0]["code"] == "qlora_only"
    train = TrainConfig(method="qlora", quantization="q4_k")
    _check_quantization(train, "cpu")
    with pytest.raises(ConfigError, match="quantization_cpu_only"):
        _check_quantization(train, "cuda")
    monkeypatch.setitem(sys.modules, "bitsandbytes.functional", None)
    with pytest.raises(PackageMissing):
        _check_quantization(TrainConfig(method="qlora", quantization="nf4"), "cpu")


@pytest.mark.gpu
@pytest.mark.usefixtures("bitsandbytes")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no NVIDIA GPU here")
def test_a_gpu_holds_the_base_in_nf4_and_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LLMLORA_DEVICE", raising=False)
    trained = run_job(
        tiny_llama(tmp_path), tmp_path / "job", MemoryRows(8), method="qlora", dtype="bfloat16", num_train_epochs=8
    )
    assert list(quantized_types(trained.model)) == ["NF4"]
    found = losses(tmp_path / "job")
    assert found[-1] < 0.9 * found[0]
