"""The list of a file's tensors: complete, each once, the shared output projection settled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmlora.core.errors import ExportError
from llmlora.gguf.conversion import convert_tensors
from llmlora.weights.folder_source import FolderSource
from reference_model import config_of
from tiny_models import ARCHITECTURES, LLAMA31_ROPE, tiny_model


class MemorySource:
    """Tensors in a dictionary."""

    def __init__(self, tensors: dict[str, np.ndarray]) -> None:
        self.tensors = dict(tensors)

    def names(self) -> list[str]:
        return list(self.tensors)

    def shape(self, name: str) -> tuple[int, ...]:
        return self.tensors[name].shape

    def read(self, name: str) -> np.ndarray:
        return self.tensors[name]


def loaded(folder: Path) -> tuple[MemorySource, dict[str, Any]]:
    source = FolderSource(folder)
    return MemorySource({name: source.read(name) for name in source.names()}), config_of(folder)


@pytest.fixture
def tied(tmp_path: Path) -> tuple[MemorySource, dict[str, Any]]:
    return loaded(tiny_model("llama", tmp_path / "model"))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_announced_shapes_are_those_that_are_read(architecture: str, tmp_path: Path) -> None:
    source, config = loaded(tiny_model(architecture, tmp_path / "model"))
    tensors = convert_tensors(source, config)
    assert len({tensor.name for tensor in tensors}) == len(tensors) == len(source.names())
    for tensor in tensors:
        values = tensor.read()
        assert (values.shape, values.dtype) == (tensor.shape, np.float32), tensor.name


def refusal(source: MemorySource, config: dict[str, Any]) -> ExportError:
    with pytest.raises(ExportError) as caught:
        convert_tensors(source, config)
    return caught.value


def test_a_stored_copy_of_the_shared_embedding_is_dropped(tied: tuple[MemorySource, dict[str, Any]]) -> None:
    source, config = tied
    source.tensors["lm_head.weight"] = source.tensors["model.embed_tokens.weight"].copy()
    assert "output.weight" not in [tensor.name for tensor in convert_tensors(source, config)]


def test_a_differing_copy_is_refused_unless_the_config_unties(tied: tuple[MemorySource, dict[str, Any]]) -> None:
    source, config = tied
    source.tensors["lm_head.weight"] = source.tensors["model.embed_tokens.weight"] * 2
    assert refusal(source, config).code == "tied_output_differs"
    tensors = {tensor.name: tensor for tensor in convert_tensors(source, {**config, "tie_word_embeddings": False})}
    np.testing.assert_array_equal(tensors["output.weight"].read(), tensors["token_embd.weight"].read() * 2)


def test_an_untied_model_needs_its_output(tied: tuple[MemorySource, dict[str, Any]]) -> None:
    source, config = tied
    error = refusal(source, {**config, "tie_word_embeddings": False})
    assert (error.code, error.params["name"]) == ("missing_tensor", "output.weight")


@pytest.mark.parametrize(
    ("removed", "missing"),
    [
        ("model.layers.1.mlp.up_proj.weight", "blk.1.ffn_up.weight"),
        ("model.embed_tokens.weight", "token_embd.weight"),
        ("model.norm.weight", "output_norm.weight"),
    ],
)
def test_a_missing_weight_is_named(removed: str, missing: str, tied: tuple[MemorySource, dict[str, Any]]) -> None:
    source, config = tied
    del source.tensors[removed]
    error = refusal(source, config)
    assert (error.code, error.params["name"]) == ("missing_tensor", missing)


def test_no_layers_at_all_is_told(tied: tuple[MemorySource, dict[str, Any]]) -> None:
    source, config = tied
    source.tensors = {name: values for name, values in source.tensors.items() if ".layers." not in name}
    assert refusal(source, config).params["name"] == "blk.0"


def test_one_place_for_two_weights_is_refused(tied: tuple[MemorySource, dict[str, Any]]) -> None:
    source, config = tied
    source.tensors["norm.weight"] = source.tensors["model.norm.weight"]
    error = refusal(source, config)
    assert (error.code, error.params["name"]) == ("duplicate_tensor", "output_norm.weight")


def test_a_layer_too_many_is_refused(tied: tuple[MemorySource, dict[str, Any]]) -> None:
    source, config = tied
    source.tensors["model.layers.2.mlp.up_proj.weight"] = np.zeros((1, 1), np.float32)
    assert refusal(source, config).code == "unmapped_tensor"


def test_neox_gets_an_output_of_its_own_even_when_tied(tmp_path: Path) -> None:
    source, config = loaded(tiny_model("gpt_neox", tmp_path / "model", tie_word_embeddings=True))
    tensors = {tensor.name: tensor for tensor in convert_tensors(source, config)}
    np.testing.assert_array_equal(tensors["output.weight"].read(), tensors["token_embd.weight"].read())


def test_computed_factors_come_along(tmp_path: Path) -> None:
    source, config = loaded(
        tiny_model("llama", tmp_path / "model", rope_parameters=LLAMA31_ROPE, tokenizer="llama3", num_hidden_layers=1)
    )
    tensors = {tensor.name: tensor for tensor in convert_tensors(source, config)}
    assert tensors["rope_freqs.weight"].shape == (32,)
