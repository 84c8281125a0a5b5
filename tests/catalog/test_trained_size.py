"""The layers of a model, from its headers alone."""

from __future__ import annotations

from llmlora.catalog.base_model import resolve_base_model
from llmlora.catalog.trained_size import linear_layers


def test_the_linear_layers_of_nano_are_named_with_block_and_outputs() -> None:
    layers = linear_layers(resolve_base_model("nano").tensors)
    assert len(layers) == 28
    assert {layer.block for layer in layers} == {0, 1, 2, 3}
    sizes = {layer.name.rpartition(".")[2]: layer.num_outputs for layer in layers}
    assert sizes == {
        "q_proj": 256, "k_proj": 128, "v_proj": 128, "o_proj": 256, "gate_proj": 768, "up_proj": 768, "down_proj": 256,
    }  # fmt: skip
