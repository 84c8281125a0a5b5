"""Requests: what is refused, and what JSON becomes."""

from __future__ import annotations

import pytest

from llmlora.core.errors import ConfigError
from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.inference.chat import ChatRequest, request_from_dict


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
