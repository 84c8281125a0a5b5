"""Registering is done once, touches nothing else, and can be taken back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fake_ollama.server import FakeOllama
from llmlora.core.errors import ConfigError, Conflict, LlmloraError, NotFound
from llmlora.gguf.container import write_container
from llmlora.ollama.client import OllamaClient
from llmlora.ollama.register import Registration, check_abilities, register, roll_back
from llmlora.ollama.versions import abilities_of


def silent(phase: str, done: int, total: int) -> None:
    """Take progress that nobody looks at."""


def forget(record: dict[str, Any]) -> None:
    """Take a record that nobody needs."""


@pytest.fixture
def wanted(tiny_gguf: Path) -> Registration:
    return Registration("my-support:v1", tiny_gguf, {"num_ctx": 256, "stop": ["<|im_end|>"]}, template="{{ .Prompt }}")


def test_doing_it_again_changes_nothing(fake: FakeOllama, client: OllamaClient, wanted: Registration):
    first = register(client, wanted, None, False, silent, forget)
    assert first["is_new"]
    assert first["steps"][-1] == "success"
    sent = len(fake.requests)
    again = register(client, wanted, first, False, silent, forget)
    assert (again["is_new"], again["digest"]) == (False, first["digest"])
    assert all("GET" in request for request in fake.requests[sent:])
    changed = register(client, replace(wanted, system="You help."), first, False, silent, forget)
    assert changed["kept"] == "my-support:v1-before"
    assert not any("POST /api/blobs" in request for request in fake.requests[sent:])


def test_a_broken_push_is_finished_by_the_next_one(fake: FakeOllama, client: OllamaClient, wanted: Registration):
    """The server had made the model when the stream broke: it is known for ours, and not kept as something older."""
    begun: list[dict[str, Any]] = []
    fake.odd.cut_before_success = True
    with pytest.raises(LlmloraError):
        register(client, wanted, None, False, silent, begun.append)
    assert client.digest_of(wanted.name)
    assert (begun[0]["digest"], begun[0]["was"]) == (None, None)
    fake.odd.cut_before_success = False
    finished = register(client, wanted, begun[0], False, silent, forget)
    assert (finished["is_new"], finished["kept"]) == (True, None)
    assert sum("POST /api/blobs" in request for request in fake.requests) == 1
    assert [model["name"] for model in client.tags()] == [wanted.name]


def test_a_push_that_broke_before_anything_was_made_touches_no_other_model(
    fake: FakeOllama, client: OllamaClient, wanted: Registration, tmp_path: Path
):
    write_container(tmp_path / "other.gguf", {"general.architecture": "llama"}, [])
    fake.store.add(wanted.name, tmp_path / "other.gguf", system="somebody's")
    begun: list[dict[str, Any]] = []
    fake.odd.reset_at_byte = 10
    with pytest.raises(LlmloraError):
        register(client, wanted, None, True, silent, begun.append)
    fake.odd.reset_at_byte = None
    with pytest.raises(Conflict):
        register(client, wanted, begun[0], False, silent, forget)


def test_other_models_are_not_touched(fake: FakeOllama, client: OllamaClient, wanted: Registration, tiny_gguf: Path):
    fake.store.add("my-support:v1", tiny_gguf, system="somebody's")
    fake.store.add("other:latest", tiny_gguf)
    before = {model["name"]: model["digest"] for model in client.tags()}
    with pytest.raises(Conflict) as caught:
        register(client, wanted, None, False, silent, forget)
    assert caught.value.code == "ollama_name_taken"
    assert {model["name"]: model["digest"] for model in client.tags()} == before
    record = register(client, wanted, None, True, silent, forget)
    after = {model["name"]: model["digest"] for model in client.tags()}
    assert after["other:latest"] == before["other:latest"]
    assert after[record["kept"]] == before["my-support:v1"]


def test_rolling_back_exchanges_the_two(client: OllamaClient, wanted: Registration):
    with pytest.raises(NotFound):
        roll_back(client, "my-support:v1")
    first = register(client, wanted, None, False, silent, forget)
    second = register(client, replace(wanted, system="You help."), first, False, silent, forget)
    assert roll_back(client, wanted.name)["digest"] == first["digest"]
    assert client.digest_of("my-support:v1-before") == second["digest"]
    assert roll_back(client, wanted.name)["digest"] == second["digest"]
    assert sorted(model["name"] for model in client.tags()) == ["my-support:v1", "my-support:v1-before"]


def test_a_repacked_file_is_still_known(fake: FakeOllama, client: OllamaClient, wanted: Registration):
    fake.odd.repacks = True
    first = register(client, wanted, None, False, silent, forget)
    assert not register(client, wanted, first, False, silent, forget)["is_new"]


def test_what_a_version_cannot_do_is_refused_before_anything_is_sent(wanted: Registration):
    adapter = replace(wanted, base="smollm2")
    check_abilities(adapter, abilities_of("0.33.9"))
    with pytest.raises(ConfigError, match="ollama_no_adapters"):
        check_abilities(adapter, abilities_of("0.34.1"))
    bare = replace(wanted, template=None)
    check_abilities(bare, abilities_of("0.30.0"))
    with pytest.raises(ConfigError, match="ollama_needs_go_template"):
        check_abilities(bare, abilities_of("0.12.6"))


@pytest.mark.parametrize(
    ("version", "adapters", "logprobs"),
    [("0.12.6", True, False), ("0.12.11", True, True), ("0.34.1-rc1", False, True), ("0.0.0", False, True)],
)
def test_versions(version: str, adapters: bool, logprobs: bool):
    found = abilities_of(version)
    assert (found.takes_adapters, found.has_logprobs) == (adapters, logprobs)
