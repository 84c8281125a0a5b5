"""Which type every tensor gets: the rules of llama.cpp's mixtures, on headers of many shapes."""

from __future__ import annotations

import pytest

from llmlora.catalog.gguf_header import GgufHeader, GgufTensor
from llmlora.gguf.blocks import block_size
from llmlora.gguf.mix import DEFAULT_TYPES, MIX_TYPES, MixModel, tensor_type
from llmlora.gguf.quantize import QUANTIZATIONS, planned_types

LAYERS = 16


def header(
    width: int = 256,
    layers: int = LAYERS,
    heads: tuple[int, int] = (4, 2),
    tied: bool = False,
    fused: bool = False,
    architecture: str = "llama",
    ffn: int = 512,
) -> GgufHeader:
    """Return the header of an F16 file with the usual tensors; nothing but names, shapes and three keys counts."""
    shapes = {"token_embd.weight": (640, width), "output_norm.weight": (width,), "position_embd.weight": (64, width)}
    if not tied:
        shapes["output.weight"] = (640, width)
    attention = ("attn_qkv",) if fused else ("attn_q", "attn_k", "attn_v")
    for layer in range(layers):
        for part in (*attention, "attn_output", "ffn_gate", "ffn_up"):
            shapes[f"blk.{layer}.{part}.weight"] = (width, width)
        shapes[f"blk.{layer}.ffn_down.weight"] = (width, ffn)
        shapes[f"blk.{layer}.attn_norm.weight"] = (width,)
        shapes[f"blk.{layer}.attn_q.bias"] = (width,)
    tensors = tuple(
        GgufTensor(name, shape, "F32" if len(shape) == 1 or "position" in name else "F16", 0, 0)
        for name, shape in shapes.items()
    )
    metadata = {
        "general.architecture": architecture,
        f"{architecture}.block_count": layers,
        f"{architecture}.attention.head_count": heads[0],
        f"{architecture}.attention.head_count_kv": heads[1],
    }
    return GgufHeader(3, metadata, {}, tensors, 32, 0)


def by_layer(types: dict[str, str], part: str, layers: int = LAYERS) -> list[str]:
    return [types[f"blk.{layer}.{part}.weight"] for layer in range(layers)]


def test_layers_that_get_more() -> None:
    model = MixModel.of(header())
    wanted = [layer for layer in range(LAYERS) if model.wants_more(layer)]
    assert wanted == [0, 1, 4, 7, 10, 13, 14, 15]
    assert [layer for layer in range(2) if MixModel.of(header(layers=2)).wants_more(layer)] == [1]


@pytest.mark.parametrize("quantization", MIX_TYPES)
def test_vectors_norms_and_positions_are_kept(quantization: str) -> None:
    types = planned_types(header(), quantization)
    for name in ("output_norm.weight", "position_embd.weight", "blk.0.attn_norm.weight", "blk.3.attn_q.bias"):
        assert types[name] == "F32"


@pytest.mark.parametrize(("quantization", "default"), [("Q4_K_M", "Q4_K"), ("Q5_K_M", "Q5_K")])
def test_medium_mixes_raise_values_and_down_projections(quantization: str, default: str) -> None:
    source = header()
    types, model = planned_types(source, quantization), MixModel.of(source)
    expected = ["Q6_K" if model.wants_more(layer) else default for layer in range(LAYERS)]
    assert by_layer(types, "attn_v") == by_layer(types, "ffn_down") == expected
    for part in ("attn_q", "attn_k", "attn_output", "ffn_gate", "ffn_up"):
        assert set(by_layer(types, part)) == {default}
    assert (types["output.weight"], types["token_embd.weight"]) == ("Q6_K", default)


def test_q4_k_s() -> None:
    types = planned_types(header(), "Q4_K_S")
    assert by_layer(types, "attn_v") == ["Q5_K"] * 4 + ["Q4_K"] * 12
    assert by_layer(types, "ffn_down") == ["Q5_K"] * 2 + ["Q4_K"] * 14
    assert set(by_layer(types, "attn_output")) == {"Q4_K"}


def test_q3_k_m() -> None:
    types = planned_types(header(), "Q3_K_M")
    assert by_layer(types, "attn_v") == ["Q5_K"] * 2 + ["Q4_K"] * 14
    assert by_layer(types, "ffn_down") == ["Q5_K"] + ["Q4_K"] * 15
    assert set(by_layer(types, "attn_output")) == {"Q4_K"}
    assert set(by_layer(types, "ffn_up")) == {"Q3_K"}


@pytest.mark.parametrize(("heads", "value"), [((4, 2), "Q3_K"), ((8, 2), "Q4_K"), ((4, 4), "Q3_K")])
def test_q2_k_looks_at_shared_heads(heads: tuple[int, int], value: str) -> None:
    types = planned_types(header(heads=heads), "Q2_K")
    assert set(by_layer(types, "attn_v")) == {value}
    assert set(by_layer(types, "ffn_down")) == set(by_layer(types, "attn_output")) == {"Q3_K"}
    assert set(by_layer(types, "ffn_gate")) == {"Q2_K"}


@pytest.mark.parametrize("quantization", ["Q6_K", "Q8_0"])
def test_plain_types_are_plain(quantization: str) -> None:
    types = planned_types(header(), quantization)
    assert set(types.values()) == {quantization, "F32"}


def test_q4_0_keeps_a_finer_output() -> None:
    types = planned_types(header(), "Q4_0")
    assert types["output.weight"] == "Q6_K"
    assert {kind for name, kind in types.items() if kind != "F32" and name != "output.weight"} == {"Q4_0"}


@pytest.mark.parametrize("quantization", MIX_TYPES)
def test_a_shared_embedding_counts_as_the_output(quantization: str) -> None:
    tied = planned_types(header(tied=True), quantization)["token_embd.weight"]
    assert tied == planned_types(header(), quantization)["output.weight"]


def test_a_fused_projection_counts_as_the_values() -> None:
    types = planned_types(header(fused=True), "Q4_K_M")
    assert by_layer(types, "attn_qkv") == by_layer(planned_types(header(), "Q4_K_M"), "attn_v")


@pytest.mark.parametrize("architecture", ["llama", "qwen2"])
def test_the_70b_models_keep_their_few_values_finer(architecture: str) -> None:
    large = header(layers=80, heads=(64, 8), architecture=architecture)
    for quantization in ("Q2_K", "Q4_K_M", "Q3_K_M"):
        types = planned_types(large, quantization)
        assert {"Q3_K", "Q4_K"}.isdisjoint(by_layer(types, "attn_v", 80))


@pytest.mark.parametrize(("architecture", "heads"), [("gemma2", (64, 8)), ("llama", (64, 64))])
def test_other_models_of_80_layers_do_not(architecture: str, heads: tuple[int, int]) -> None:
    other = planned_types(header(layers=80, heads=heads, architecture=architecture), "Q4_K_M")
    assert "Q4_K" in by_layer(other, "attn_v", 80)


COARSER = {"Q2_K": "Q4_0", "Q3_K_M": "Q4_0", "Q4_K_M": "Q5_0", "Q5_K_M": "Q5_1", "Q6_K": "Q8_0", "Q8_0": "Q8_0"}


@pytest.mark.parametrize("quantization", COARSER)
def test_rows_off_the_block_get_a_type_that_fits(quantization: str) -> None:
    types = planned_types(header(width=320), quantization)
    assert types["blk.0.ffn_up.weight"] == COARSER[quantization]
    assert types["output.weight"] == "Q8_0"


@pytest.mark.parametrize("quantization", MIX_TYPES)
def test_rows_that_fit_nothing_stay_f16(quantization: str) -> None:
    types = planned_types(header(width=48), quantization)
    assert {types["blk.0.ffn_up.weight"], types["output.weight"], types["token_embd.weight"]} == {"F16"}


@pytest.mark.parametrize("quantization", QUANTIZATIONS)
@pytest.mark.parametrize("width", [256, 320, 64, 48])
def test_every_type_divides_its_row(quantization: str, width: int) -> None:
    source = header(width=width)
    types = planned_types(source, quantization)
    assert all(tensor.shape[-1] % block_size(types[tensor.name]) == 0 for tensor in source.tensors)


@pytest.mark.parametrize("quantization", MIX_TYPES)
def test_a_mix_needs_only_what_it_lists(quantization: str) -> None:
    found = {kind for heads in ((4, 2), (8, 1)) for kind in planned_types(header(heads=heads), quantization).values()}
    assert found - {"F32"} <= set(MIX_TYPES[quantization])


def test_float_types_change_matrices_only() -> None:
    for name in ("F32", "F16", "BF16"):
        types = planned_types(header(), name)
        assert types["blk.0.attn_q.weight"] == types["output.weight"] == name
        assert types["output_norm.weight"] == "F32"
    assert set(DEFAULT_TYPES) == set(QUANTIZATIONS)


def test_heads_per_layer_are_read_from_the_first() -> None:
    source = header()
    source.metadata["llama.attention.head_count_kv"] = [1, 2, 4]
    assert MixModel.of(source).heads_per_kv == 4
    del source.metadata["llama.attention.head_count_kv"]
    assert MixModel.of(source).heads_per_kv == 1


def test_the_gate_of_experts_is_kept() -> None:
    tensor = GgufTensor("blk.0.ffn_gate_inp.weight", (8, 256), "F16", 0, 0)
    assert tensor_type(tensor, "Q4_K_M", MixModel.of(header())) == "F16"
