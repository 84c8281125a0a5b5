"""The bounds of each quantisation on the weights of a pretrained model: right files pass, scaled ones do not."""

from __future__ import annotations

import numpy as np
import pytest

from llmlora.export.quantized_values import BOUNDS, Problem, Sums, block_problem, tensor_problem
from llmlora.gguf.backends import backend_for
from llmlora.gguf.blocks import dequantize_rows
from llmlora.weights.folder_source import FolderSource
from real_models import real_model

TENSORS = tuple(f"model.layers.{layer}.mlp.down_proj.weight" for layer in (0, 14, 29))  # rows of 1536 fit every type


@pytest.fixture(scope="module")
def weights() -> list[np.ndarray]:
    source = FolderSource(real_model("smollm2"))
    return [source.read(name)[:192] for name in TENSORS]


def problem_of(values: np.ndarray, trained: np.ndarray, kind: str) -> Problem | None:
    sums = Sums()
    return block_problem(values - trained, trained, kind, sums) or tensor_problem(sums, kind)


@pytest.mark.parametrize("kind", BOUNDS)
def test_real_weights_are_within_the_bounds_and_scaled_ones_beyond(kind: str, weights: list[np.ndarray]):
    found = backend_for(kind)
    if found is None:
        pytest.skip(f"{kind} cannot be written on this machine")
    for trained in weights:
        values = dequantize_rows(found[1](trained, kind), kind).reshape(trained.shape)
        assert problem_of(values, trained, kind) is None
        assert problem_of(values * np.float32(1.2 if kind == "Q2_K" else 1.08), trained, kind) is not None
