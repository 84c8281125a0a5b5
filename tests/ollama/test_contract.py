"""What every version of Ollama does; the same tests run against a real server with `-m live_ollama`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import LlmloraError, NotFound, OllamaUnavailable
from llmlora.ollama.client import OllamaClient, hash_file
from llmlora.ollama.versions import abilities_of

NAME = "llmlora-contract:test"
TEMPLATE = "{{ range $i, $_ := .Messages }}{{ if eq (len (slice $.Messages $i)) 1 }}{{ .Content }}{{ end }}{{ end }}"


@pytest.fixture
def registered(any_client: OllamaClient, tiny_gguf: Path) -> Iterator[OllamaClient]:
    digest = hash_file(tiny_gguf, lambda done, total: None)
    if not any_client.has_blob(digest):
        any_client.upload(tiny_gguf, digest, lambda done, total: None)
    body: dict[str, Any] = {"model": NAME, "files": {"model.gguf": digest}, "template": TEMPLATE}
    any_client.create({**body, "parameters": {"num_ctx": 256, "temperature": 0, "stop": ["<|x|>"]}}, lambda line: None)
    yield any_client
    any_client.delete(NAME)


def test_a_model_is_uploaded_created_shown_copied_and_deleted(registered: OllamaClient):
    assert registered.digest_of(NAME)
    shown = registered.show(NAME)
    assert shown["details"]["family"] == "llama"
    assert "num_ctx" in shown["parameters"]
    assert shown["template"] == TEMPLATE
    registered.copy(NAME, f"{NAME}-2")
    assert registered.digest_of(f"{NAME}-2") == registered.digest_of(NAME)
    registered.delete(f"{NAME}-2")
    assert registered.digest_of(f"{NAME}-2") is None


def test_what_is_not_there_is_said_to_be_missing(any_client: OllamaClient):
    for call in (any_client.show, any_client.delete):
        with pytest.raises(NotFound) as caught:
            call("llmlora-does-not-exist")
        assert caught.value.code == "ollama_no_model"
    assert not any_client.has_blob("sha256:" + "0" * 64)
    with pytest.raises(OllamaUnavailable) as refused:
        any_client.has_blob("sha256:12")
    assert refused.value.code == "ollama_refused"


def test_answers_count_prompts_and_obey_the_version(registered: OllamaClient):
    abilities = abilities_of(registered.version())
    body = {"model": NAME, "messages": [{"role": "user", "content": "The price is"}]}
    answer = registered.chat({**body, "options": {"num_predict": 3}})
    assert answer["done"]
    assert 0 < answer["prompt_eval_count"] < 20
    raw = {"model": NAME, "prompt": "The price is", "raw": True, "options": {"num_predict": 1}}
    if abilities.has_logprobs:
        tops = registered.generate({**raw, "logprobs": True, "top_logprobs": 5})["logprobs"][0]["top_logprobs"]
        assert len(tops) == 5
        assert all(top["logprob"] <= 0 and top["bytes"] for top in tops)
    if abilities.can_render:
        shown = registered.chat({**body, "_debug_render_only": True})
        assert shown["_debug_info"]["rendered_template"] == "The price is"


def test_adapters_and_quantising_are_refused_where_the_version_does(registered: OllamaClient, tiny_gguf: Path):
    digest = hash_file(tiny_gguf, lambda done, total: None)
    adapter = {"model": f"{NAME}-a", "from": NAME, "adapters": {"adapter.gguf": "sha256:" + "0" * 64}}
    with pytest.raises(LlmloraError) as caught:  # the digest is not there: refused by all, for other reasons
        registered.create(adapter, lambda line: None)
    is_refused = "no longer supported" in str(caught.value.params["detail"])
    assert is_refused is not abilities_of(registered.version()).takes_adapters
    with pytest.raises(LlmloraError):
        registered.create({"model": f"{NAME}-q", "files": {"m.gguf": digest}, "quantize": "q2_K"}, lambda line: None)
