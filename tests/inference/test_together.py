"""Requests answered together get the answers that each gets alone, whatever their lengths and where they end."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.inference import together
from llmlora.inference.chat import ChatRequest
from llmlora.inference.together import MOST_ROWS, chat_all
from llmlora.inference.transformers_chat import TransformersChat, load_chat
from llmlora.weights.base import open_folder
from tiny_models import tiny_model

TEXTS = [letters * (7 * number % 11 + 1) for number, letters in enumerate("あいうえおかきくけこ")]
assert len(TEXTS) > MOST_ROWS


@pytest.fixture(scope="module", params=["llama", "gemma2", "gpt2"])
def chat(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TransformersChat:
    """Return models of every layout of the cache: plain, with a window shorter than the answers, absolute positions."""
    fields = {"sliding_window": 8} if request.param == "gemma2" else {}
    return load_chat(open_folder(tiny_model(request.param, tmp_path_factory.mktemp("chat") / "base", seed=2, **fields)))


def requests(**options: object) -> list[ChatRequest]:
    wanted = GenerateOptions(**{"max_new_tokens": 24, **options})
    return [ChatRequest((Message("user", text),), options=wanted) for text in TEXTS]


def counted(chat: TransformersChat, monkeypatch: pytest.MonkeyPatch) -> list[ChatRequest]:
    """Return the list that every request is added to which is answered alone from now on."""
    asked: list[ChatRequest] = []
    alone = TransformersChat.chat
    monkeypatch.setattr(chat, "chat", lambda request: asked.append(request) or alone(chat, request))
    return asked


def test_they_are_those_of_each_alone(chat: TransformersChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "NEARLY_EQUAL", -1.0)  # not even where tokens of these random models are
    alone = [chat.chat(request) for request in requests()]
    assert [timed.reply for timed in chat_all(chat, requests(), lambda: None)] == alone
    ends = {reply.token_ids[place] for place, reply in zip(range(3, 24, 4), alone, strict=False)}
    monkeypatch.setattr(chat, "end_token_ids", frozenset(ends))
    alone = [chat.chat(request) for request in requests()]
    assert len({reply.num_tokens for reply in alone}) > 1, "some end before others"
    asked, heard = counted(chat, monkeypatch), []
    found = chat_all(chat, requests(), lambda: heard.append(1))
    assert [timed.reply for timed in found] == alone
    assert (len(asked), len(heard)) == (0, len(TEXTS))
    assert all(timed.seconds > 0 for timed in found)


def test_where_tokens_are_nearly_equally_likely_a_row_is_asked_again_alone(
    chat: TransformersChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, heard = counted(chat, monkeypatch), []
    monkeypatch.setattr(together, "NEARLY_EQUAL", float("inf"))
    chat_all(chat, requests(max_new_tokens=2), lambda: heard.append(1))
    assert (len(asked), len(heard)) == (len(TEXTS), len(TEXTS))


@pytest.mark.parametrize("options", [{"temperature": 0.7}, {"repetition_penalty": 1.1}, {"stop": ("。",)}])
def test_what_is_not_greedy_is_asked_alone(
    chat: TransformersChat, monkeypatch: pytest.MonkeyPatch, options: dict[str, object]
) -> None:
    asked = counted(chat, monkeypatch)
    chat_all(chat, requests(max_new_tokens=1, **options), lambda: None)
    assert len(asked) == len(TEXTS)


def test_coarse_numbers_and_recurrent_layers_are_asked_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chat = load_chat(open_folder(tiny_model("llama", tmp_path / "base", num_hidden_layers=1)))
    asked = counted(chat, monkeypatch)
    chat.model.config.model_type = "mamba"
    chat_all(chat, requests(max_new_tokens=1)[:2], lambda: None)
    chat.model.config.model_type = "llama"
    chat.model.to(torch.bfloat16)
    chat_all(chat, requests(max_new_tokens=1)[:2], lambda: None)
    assert len(asked) == 4


def test_whoever_hears_of_a_reply_may_stop(chat: TransformersChat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(together, "NEARLY_EQUAL", -1.0)

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chat_all(chat, requests(max_new_tokens=1), stop)
