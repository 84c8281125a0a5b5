"""Requests and options: what is refused, and what JSON becomes."""

from __future__ import annotations

import pytest

from llmlora.core.errors import ConfigError
from llmlora.core.examples import Message
from llmlora.inference.chat import ChatRequest, GenerateOptions, request_from_dict


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_new_tokens", 0),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("repetition_penalty", 0.0),
    ],
)
def test_impossible_options_are_refused_by_name(name: str, value: float):
    with pytest.raises(ConfigError) as caught:
        GenerateOptions(**{name: value})
    assert caught.value.code == "bad_generate_option"
    assert caught.value.params["name"] == name


def test_a_request_has_messages_or_a_prompt_not_both_not_none():
    for arguments in ({}, {"messages": (), "prompt": "x"}):
        with pytest.raises(ConfigError):
            ChatRequest(**arguments)


def test_request_from_json():
    request = request_from_dict(
        {"messages": [{"role": "user", "content": "あ"}], "top_p": 0.5, "stop": ["x"], "seed": None}
    )
    assert request.messages == (Message("user", "あ"),)
    assert request.options == GenerateOptions(top_p=0.5, stop=("x",))
