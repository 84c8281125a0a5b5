"""Rotary settings: the factors written are those transformers computes with; what cannot be written is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

from llmlora.core.errors import ExportError, ModelFileError
from llmlora.gguf.model_shape import ModelShape, read_model_shape
from llmlora.gguf.rope import (
    check_rope,
    longrope_attention,
    longrope_keys,
    rope_keys,
    rope_tensors,
    rope_theta,
    rope_type,
)

CONFIG: dict[str, Any] = {
    "hidden_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 8192,
    "vocab_size": 100,
}
SHAPE: ModelShape = read_model_shape(CONFIG, ties_by_default=False)
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500_000.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 2048,
}


def frequencies(parameters: dict[str, Any]) -> np.ndarray:
    inverse, _ = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](LlamaConfig(**CONFIG, rope_parameters=parameters), "cpu")
    return inverse.numpy()


def plain_frequencies(theta: float) -> np.ndarray:
    return theta ** (-np.arange(0, 64, 2) / 64)


@pytest.mark.parametrize(
    "changes",
    [{}, {"factor": 32.0}, {"rope_theta": 10_000.0, "original_max_position_embeddings": 64}, {"high_freq_factor": 2.0}],
)
def test_llama3_factors_are_those_of_transformers(changes: dict[str, Any]) -> None:
    parameters = {**LLAMA3, **changes}
    (factors,) = rope_tensors(parameters, SHAPE).values()
    assert factors.shape == (32,)
    assert factors.dtype == np.float32
    expected = plain_frequencies(parameters["rope_theta"]) / frequencies(parameters)
    np.testing.assert_allclose(factors, expected, rtol=1e-5)
    assert (factors == 1).any()
    assert (factors == parameters["factor"]).any()


def test_llama3_writes_no_scaling_keys() -> None:
    assert rope_keys(LLAMA3, SHAPE) == {}


def test_linear_and_yarn_are_keys() -> None:
    linear = {"rope_type": "linear", "factor": 4.0}
    assert rope_keys(linear, SHAPE) == {"scaling.type": "linear", "scaling.factor": 4.0}
    yarn = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 2048}
    expected = {"scaling.type": "yarn", "scaling.factor": 4.0, "scaling.original_context_length": 2048}
    assert rope_keys(yarn, SHAPE) == expected
    del yarn["original_max_position_embeddings"]
    assert rope_keys(yarn, SHAPE)["scaling.original_context_length"] == 8192
    assert rope_tensors(yarn, SHAPE) == {}


def test_longrope_writes_both_sets_of_factors() -> None:
    short, long = [1.0] * 32, [float(number + 1) for number in range(32)]
    parameters = {"rope_type": "longrope", "short_factor": short, "long_factor": long}
    tensors = rope_tensors(parameters, SHAPE)
    np.testing.assert_array_equal(tensors["rope_factors_short.weight"], np.float32(short))
    np.testing.assert_array_equal(tensors["rope_factors_long.weight"], np.float32(long))
    keys = longrope_keys(parameters, SHAPE, 4096)
    assert keys["scaling.original_context_length"] == 4096
    assert keys["scaling.attn_factor"] == pytest.approx(math.sqrt(1 + math.log(2) / math.log(4096)))
    assert longrope_keys({**parameters, "attention_factor": 1.5}, SHAPE, 4096)["scaling.attn_factor"] == 1.5
    assert longrope_keys({"rope_type": "default"}, SHAPE, 4096) == {"scaling.original_context_length": 4096}


def test_longrope_attention_is_that_of_transformers() -> None:
    config = LlamaConfig(
        **CONFIG,
        rope_parameters={
            "rope_type": "longrope",
            "rope_theta": 10_000.0,
            "short_factor": [1.0] * 32,
            "long_factor": [1.0] * 32,
            "factor": 4.0,
            "original_max_position_embeddings": 2048,
        },
    )
    _, expected = ROPE_INIT_FUNCTIONS["longrope"](config, "cpu")
    assert longrope_attention(8192, 2048) == pytest.approx(expected)
    assert longrope_attention(2048, 4096) == 1.0


def test_factors_of_the_wrong_number_are_refused() -> None:
    parameters = {"rope_type": "longrope", "short_factor": [1.0] * 31, "long_factor": [1.0] * 32}
    with pytest.raises(ModelFileError, match="short_factor"):
        rope_tensors(parameters, SHAPE)


def test_names_of_types() -> None:
    assert rope_type({"type": "su"}) == "longrope"
    assert rope_type({}) == "default"
    assert rope_theta({}) == 10_000.0


KINDS = ("default", "linear", "yarn", "llama3", "longrope")
ACCEPTED = (
    {},
    {"rope_type": "default"},
    LLAMA3,
    {"rope_type": "linear", "factor": 2},
    {"rope_type": "yarn", "factor": 2, "beta_fast": 32, "beta_slow": 1, "attention_factor": None},
    {"rope_type": "longrope"},
)


@pytest.mark.parametrize("parameters", ACCEPTED)
def test_accepts(parameters: dict[str, Any]) -> None:
    check_rope(parameters, KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_that_an_architecture_lacks_is_refused(kind: str) -> None:
    with pytest.raises(ExportError) as caught:
        check_rope({"rope_type": kind, "factor": 2.0}, [name for name in KINDS if name != kind])
    assert caught.value.params == {"setting": "rope_type", "value": kind}


REFUSED = (
    ({"rope_type": "dynamic", "factor": 2.0}, "rope_type"),
    ({"rope_type": "mrope"}, "rope_type"),
    ({"rope_type": "yarn"}, "rope_parameters.factor"),
    ({"rope_type": "linear", "factor": None}, "rope_parameters.factor"),
    ({"rope_type": "yarn", "factor": 2.0, "beta_slow": 2.0}, "rope_parameters.beta_slow"),
    ({"rope_type": "yarn", "factor": 2.0, "beta_fast": 16.0}, "rope_parameters.beta_fast"),
    ({"rope_type": "yarn", "factor": 2.0, "attention_factor": 1.2}, "rope_parameters.attention_factor"),
    ({"rope_type": "yarn", "factor": 2.0, "mscale": 1.0}, "rope_parameters.mscale"),
    ({"rope_type": "yarn", "factor": 2.0, "truncate": False}, "rope_parameters.truncate"),
)


@pytest.mark.parametrize(("parameters", "name"), REFUSED)
def test_refuses_by_name(parameters: dict[str, Any], name: str) -> None:
    with pytest.raises(ExportError) as caught:
        check_rope(parameters, KINDS)
    assert (caught.value.code, caught.value.params["setting"]) == ("unsupported_model_setting", name)
