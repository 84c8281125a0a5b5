"""Chat through transformers: the same tokens as transformers' own generation, streaming, adapters, limits."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from llmlora.core.errors import ConfigError, ModelFileError
from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.inference.chat import ChatRequest, Logprob
from llmlora.inference.transformers_chat import TransformersChat, load_chat
from llmlora.weights.base import open_folder
from tiny_jobs import write_random_adapter
from tiny_models import tiny_model

QUESTION = (Message("user", "営業時間は？😀"),)


@pytest.fixture(scope="module")
def chat(tmp_path_factory: pytest.TempPathFactory) -> TransformersChat:
    return load_chat(open_folder(tiny_model("llama", tmp_path_factory.mktemp("chat") / "base", seed=2)))


def ask(chat: TransformersChat, messages: tuple[Message, ...] = QUESTION, **options: object) -> ChatRequest:
    return ChatRequest(messages, options=GenerateOptions(**{"max_new_tokens": 24, **options}))


@pytest.mark.parametrize("penalty", [1.0, 1.3])
@pytest.mark.parametrize("architecture", ["llama", "gemma2", "gpt2"])
def test_greedy_tokens_equal_transformers_generate(architecture: str, penalty: float, tmp_path: Path):
    chat = load_chat(open_folder(tiny_model(architecture, tmp_path / "base")))
    request = ask(chat, repetition_penalty=penalty)
    ids = torch.tensor([chat.prompt_ids(request)])
    generated = chat.model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=24, do_sample=False,
        repetition_penalty=penalty, eos_token_id=sorted(chat.end_token_ids), pad_token_id=0,
    )  # fmt: skip
    expected = generated[0, ids.shape[1] :].tolist()
    while expected and expected[-1] in chat.end_token_ids:
        expected.pop()
    assert list(chat.chat(request).token_ids) == expected


def test_pieces_add_up_and_the_reply_counts_its_tokens(chat: TransformersChat):
    pieces: list[str] = []
    reply = chat.chat(ask(chat), pieces.append)
    assert "".join(pieces) == reply.text == chat.decode(reply.token_ids)
    assert (reply.num_tokens, reply.finish_reason) == (24, "length")
    assert len(pieces) > 3


def test_end_token_ends_the_reply_and_is_not_part_of_it(chat: TransformersChat, monkeypatch: pytest.MonkeyPatch):
    tokens = chat.chat(ask(chat)).token_ids
    index = next(index for index in range(1, 24) if tokens[index] not in tokens[:index])
    monkeypatch.setattr(chat, "end_token_ids", frozenset({tokens[index]}))
    reply = chat.chat(ask(chat))
    assert reply.finish_reason == "stop"
    assert reply.token_ids == tokens[:index]


def test_all_end_tokens_of_the_files_are_known(chat: TransformersChat):
    names = {chat.tokenizer.convert_ids_to_tokens(index) for index in chat.end_token_ids}
    assert names == {"<|im_end|>", "<|endoftext|>"}


def test_seed_decides_a_drawn_reply(chat: TransformersChat):
    drawn = [chat.chat(ask(chat, temperature=1.0, top_p=0.9, seed=seed)).token_ids for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_raw_prompt_is_not_put_into_the_template(chat: TransformersChat):
    ids = chat.prompt_ids(ChatRequest(prompt="こんにちは"))
    assert ids == chat.tokenize("こんにちは")
    assert "<|im_start|>" in chat.render(QUESTION)


def test_reply_ends_where_the_context_is_full(chat: TransformersChat):
    request = ChatRequest(prompt="あ" * 250, options=GenerateOptions(max_new_tokens=4096))
    reply = chat.chat(request)
    assert reply.finish_reason == "length"
    assert len(chat.prompt_ids(request)) + reply.num_tokens == chat.context_length == 512


def test_prompt_longer_than_the_context_is_refused(chat: TransformersChat):
    with pytest.raises(ConfigError) as caught:
        chat.chat(ChatRequest(prompt="あ" * 600))
    assert caught.value.code == "prompt_too_long"
    assert caught.value.params["context_length"] == 512


def test_nothing_to_go_on_after_is_refused(chat: TransformersChat):
    with pytest.raises(ConfigError) as caught:
        chat.chat(ChatRequest(prompt=""))
    assert caught.value.code == "prompt_empty"


def test_bytes_of_tokens_put_together_are_the_reply(chat: TransformersChat):
    """A character of several tokens has no text in any of them, so whoever shows tokens puts their bytes together."""
    told: list[Logprob | None] = []
    request = ChatRequest(QUESTION, options=GenerateOptions(temperature=1.0, max_new_tokens=60), top_logprobs=1)
    reply = chat.chat(request, on_token=told.append)
    assert "\ufffd" in "".join(token["token"] for token in told if token)
    joined = b"".join(bytes(token["bytes"]) for token in told if token)
    assert joined.decode("utf-8", "replace") == reply.text


def test_adapter_answers_and_can_be_switched_off(tmp_path: Path):
    from llmlora.prepare.template import load_template, save_template
    from llmlora.prepare.tokenizer import save_tokenizer

    base = tiny_model("llama", tmp_path / "base", seed=2)
    write_random_adapter(base, tmp_path / "adapter", {})
    save_tokenizer(base, tmp_path / "adapter")
    save_template(load_template(base), tmp_path / "adapter")
    tuned = load_chat(open_folder(base), tmp_path / "adapter")
    alone = load_chat(open_folder(base)).chat(ask(tuned)).token_ids
    assert tuned.chat(ask(tuned)).token_ids != alone
    with tuned.adapter_disabled():
        assert tuned.chat(ask(tuned)).token_ids == alone
    assert tuned.chat(ask(tuned)).token_ids != alone


def test_broken_adapter_is_a_typed_error(tmp_path: Path):
    base = tiny_model("llama", tmp_path / "base")
    (tmp_path / "adapter").mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / "adapter" / name).write_bytes((base / name).read_bytes())
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelFileError) as caught:
        load_chat(open_folder(base), tmp_path / "adapter")
    assert caught.value.code == "adapter_load_failed"
