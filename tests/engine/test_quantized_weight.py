"""A quantised weight computes, forward and backward, what the same numbers compute as a plain tensor, to the bit."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from llmlora.engine.ggml_matrix import GgmlMatrix
from llmlora.engine.quantized_weight import QuantizedWeight, plain_weight, quantized_types
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import Blocks, dequantize_rows, row_bytes

NUM_ROWS, LENGTH = 300, 512  # more than one piece on each of two threads
TYPES = ("Q4_K", "Q6_K", "Q4_1", "Q8_0", "Q2_K")
DTYPES = (torch.float32, torch.bfloat16, torch.float16)


def blocks_of(ggml_type: str) -> Blocks:
    values = np.random.default_rng(5).standard_normal((NUM_ROWS, LENGTH)).astype(np.float32)
    backend = backend_for(ggml_type)
    if backend is None:
        pytest.skip("no quantiser for this type on this machine")
    return Blocks(ggml_type, backend[1](values, ggml_type).reshape(NUM_ROWS, row_bytes(LENGTH, ggml_type)))


@pytest.fixture(params=(1, 2), ids=("one thread", "two threads"))
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def weight() -> QuantizedWeight:
    return QuantizedWeight(GgmlMatrix(blocks_of("Q4_K")), torch.bfloat16)


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("ggml_type", TYPES)
def test_the_numbers_are_those_of_the_blocks_rounded_once(ggml_type: str, dtype: torch.dtype) -> None:
    blocks = blocks_of(ggml_type)
    values = torch.from_numpy(dequantize_rows(blocks.rows.reshape(-1), ggml_type)).view(NUM_ROWS, LENGTH)
    assert torch.equal(GgmlMatrix(blocks).dequantized(dtype), values.to(dtype))


@pytest.mark.parametrize("shape", [(7, LENGTH), (2, 5, LENGTH)], ids=("rows", "batch of rows"))
@pytest.mark.parametrize("has_bias", [False, True])
def test_a_product_and_its_gradient_are_those_of_the_plain_weight(
    weight: QuantizedWeight, shape: tuple[int, ...], has_bias: bool
) -> None:
    bias = torch.ones(NUM_ROWS, dtype=weight.dtype) if has_bias else None
    found = []
    for matrix in (weight.plain(), weight):
        inputs = torch.randn(shape, generator=torch.Generator().manual_seed(1)).to(weight.dtype).requires_grad_()
        outputs = functional.linear(inputs, matrix, bias)
        outputs.float().square().sum().backward()
        assert inputs.grad is not None
        found.append((outputs.detach(), inputs.grad))
    for plain, in_blocks in zip(*found, strict=True):
        assert torch.equal(plain, in_blocks)


def test_what_a_product_leaves_for_the_way_back_is_no_plain_weight(weight: QuantizedWeight) -> None:
    kept: list[torch.Tensor] = []
    inputs = torch.ones(3, LENGTH, dtype=weight.dtype, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda tensor: kept.append(tensor) or tensor, lambda tensor: tensor):
        functional.linear(inputs, weight)
    sizes = [tensor.numel() for tensor in kept if not isinstance(tensor, QuantizedWeight)]
    assert any(isinstance(tensor, QuantizedWeight) for tensor in kept)
    assert max(sizes, default=0) <= inputs.numel()


def test_an_embedding_is_looked_up_in_its_rows_alone(weight: QuantizedWeight, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    whole = GgmlMatrix.dequantized

    def counted(matrix: GgmlMatrix, dtype: torch.dtype) -> torch.Tensor:
        asked.append(matrix.shape)
        return whole(matrix, dtype)

    ids = torch.tensor([[3, 299, 3], [0, 7, 8]])
    expected = functional.embedding(ids, weight.plain())
    monkeypatch.setattr(GgmlMatrix, "dequantized", counted)
    assert torch.equal(functional.embedding(ids, weight), expected)
    assert asked == [(6, LENGTH)]


def test_it_looks_like_the_matrix_that_it_stands_for(weight: QuantizedWeight) -> None:
    assert (weight.shape, weight.dtype, weight.numel()) == ((NUM_ROWS, LENGTH), torch.bfloat16, NUM_ROWS * LENGTH)
    assert weight.t().shape == (LENGTH, NUM_ROWS)
    assert weight.float().dtype == torch.float32
    assert isinstance(weight.float(), QuantizedWeight)
    assert bool(torch.isfinite(weight).all())
    parameter = nn.Parameter(weight, requires_grad=False)
    assert isinstance(parameter, QuantizedWeight)


def test_a_copy_is_plain_and_the_weight_itself_cannot_be_changed(weight: QuantizedWeight) -> None:
    copied = copy.deepcopy(nn.Parameter(weight, requires_grad=False))
    assert not isinstance(copied, QuantizedWeight)
    assert torch.equal(copied, weight.plain())
    with pytest.raises(RuntimeError, match="quantised weight"):
        weight.add_(1)


def test_inference_mode_needs_no_threads_in_it(weight: QuantizedWeight) -> None:
    inputs = torch.ones(1, LENGTH, dtype=weight.dtype)
    with torch.inference_mode():
        assert torch.equal(functional.linear(inputs, weight), functional.linear(inputs, weight.plain()))


def test_a_layer_holds_plain_numbers_for_several_products_and_its_blocks_again_after_them() -> None:
    layer = nn.Linear(LENGTH, NUM_ROWS)
    layer.weight = nn.Parameter(QuantizedWeight(GgmlMatrix(blocks_of("Q4_K")), torch.float32), requires_grad=False)
    before = layer.weight
    assert quantized_types(layer) == {"Q4_K": NUM_ROWS * LENGTH}
    with plain_weight(layer):
        assert type(layer.weight) is nn.Parameter
        assert torch.equal(layer.weight, before.plain())
    assert layer.weight is before
    own = nn.Linear(2, 2)
    with plain_weight(own):
        assert own.weight.requires_grad
