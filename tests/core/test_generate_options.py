"""Options of generation: impossible values are refused by name, with a document that any reader of JSON takes."""

from __future__ import annotations

import json
import math

import pytest

from llmlora.core.errors import ConfigError
from llmlora.core.generate_options import LARGEST_SEED, GenerateOptions


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_new_tokens", 0),
        ("max_new_tokens", -3),
        ("temperature", -0.1),
        ("temperature", 100.1),
        ("temperature", math.nan),
        ("temperature", math.inf),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("top_p", math.nan),
        ("top_k", -1),
        ("min_p", 1.1),
        ("min_p", math.nan),
        ("repetition_penalty", 0.0),
        ("repetition_penalty", -math.inf),
        ("seed", -1),
        ("seed", 2**32 - 1),
        ("seed", 10**400),
    ],
)
def test_impossible_options_are_refused_by_name(name: str, value: float):
    with pytest.raises(ConfigError) as caught:
        GenerateOptions(**{name: value})
    assert caught.value.code == "bad_generate_option"
    assert caught.value.params["name"] == name
    json.dumps(caught.value.to_dict(), allow_nan=False)


def test_the_ends_of_every_range_are_allowed():
    GenerateOptions(max_new_tokens=1, temperature=0, top_p=1, repetition_penalty=1e-3, seed=0)
    GenerateOptions(max_new_tokens=10**9, temperature=100, top_p=1e-9, repetition_penalty=100, seed=LARGEST_SEED)
