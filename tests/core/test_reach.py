"""How far one step of training can move a model."""

from __future__ import annotations

import pytest

from llmlora.core.reach import LinearLayer, adapted_layers, adapter_reach

# Two blocks of a small Llama: q, k, v, o, gate, up, down give out 8, 4, 4, 8, 24, 24, 8 numbers.
OUTPUTS = {"q_proj": 8, "k_proj": 4, "v_proj": 4, "o_proj": 8, "gate_proj": 24, "up_proj": 24, "down_proj": 8}
LAYERS = [
    LinearLayer(f"model.layers.{block}.self_attn.{name}", block, size, 8 * size)
    for block in (0, 1)
    for name, size in OUTPUTS.items()
]
REFERENCE = {"r": 8, "lora_alpha": 16, "target_modules": "all-linear"}


def test_the_reference_adapter_has_a_reach_of_one() -> None:
    assert adapter_reach(LAYERS, REFERENCE) == 1
    assert adapter_reach((), {**REFERENCE, "target_modules": ("q_proj",)}) == 1


@pytest.mark.parametrize(
    ("changes", "reach"),
    [
        ({"target_modules": ("q_proj", "v_proj")}, 12 / 80),
        ({"target_modules": ["o_proj"]}, 8 / 80),
        ({"layers": (1,)}, 1 / 2),
        ({"r": 4, "lora_alpha": 8}, 1 / 2),
        ({"r": 4, "lora_alpha": 16}, 1),  # a scale of 4 on half the rank
        ({"r": 64, "lora_alpha": 16}, 1),
        ({"r": 16, "lora_alpha": 16, "use_rslora": True}, 4),  # scale 4, rank 16
        ({"target_modules": ("c_attn",)}, 1),  # fused under a name of its own: counted as all
    ],
)
def test_reach_follows_rank_scale_and_layers(changes: dict[str, object], reach: float) -> None:
    assert adapter_reach(LAYERS, {**REFERENCE, **changes}) == pytest.approx(reach)


def test_the_layers_of_an_adapter_are_those_named_in_the_blocks_named() -> None:
    found = adapted_layers(LAYERS, {"target_modules": ("v_proj",), "layers": (1,)})
    assert [layer.name for layer in found] == ["model.layers.1.self_attn.v_proj"]
