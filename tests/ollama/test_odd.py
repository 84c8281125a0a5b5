"""The odd behaviours of real servers, one by one: what the client and the registration make of each."""

from __future__ import annotations

import http.client
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from fake_ollama.server import FakeOllama
from llmlora.catalog.ollama_store import find_ollama_model, list_ollama_models
from llmlora.core.errors import LlmloraError, NotFound, OllamaUnavailable
from llmlora.gguf.container import write_container
from llmlora.ollama.client import OllamaClient, hash_file
from llmlora.ollama.register import Registration, register

NOTHING = "sha256:" + "0" * 64


def refusal(version: str, folder: Path, body: dict[str, Any]) -> str:
    with FakeOllama(folder / version, version) as server, OllamaClient(server.url) as client:
        with pytest.raises(LlmloraError) as caught:
            client.create({"model": "m", **body}, lambda line: None)
        assert not client.tags(), "nothing is half registered"
        return str(caught.value.params["detail"])


@pytest.mark.parametrize("name", ["/model.gguf", "../model.gguf", "a\\b.gguf", "c:model.gguf", "x" * 1025])
def test_file_names_that_leave_the_folder_or_are_too_long_are_refused(name: str, tmp_path: Path):
    for version in ("0.12.0", "0.40.0"):
        assert "invalid file name" in refusal(version, tmp_path, {"files": {name: NOTHING}})


def test_two_adapters_are_refused_by_versions_that_take_one(tmp_path: Path):
    body = {"from": "base", "adapters": {"a.gguf": NOTHING, "b.gguf": NOTHING}}
    assert "only one adapter" in refusal("0.33.0", tmp_path, body)
    assert "no longer supported" in refusal("0.34.1", tmp_path, body)


def test_an_adapter_among_the_files_is_refused_too(tmp_path: Path):
    path = tmp_path / "adapter.gguf"
    write_container(path, {"general.architecture": "llama", "general.type": "adapter"}, [])
    with FakeOllama(tmp_path / "store", "0.34.1") as server, OllamaClient(server.url) as client:
        digest = hash_file(path, lambda done, total: None)
        client.upload(path, digest, lambda done, total: None)
        with pytest.raises(LlmloraError) as caught:
            client.create({"model": "m", "files": {"model.gguf": digest}}, lambda line: None)
        assert "LoRA adapters are no longer supported" in str(caught.value.params["detail"])
        assert not client.tags()


def test_unknown_capabilities_and_old_parameters_are_refused_by_the_newest(tmp_path: Path):
    assert "unknown capability" in refusal("0.40.0", tmp_path, {"files": {}, "capabilities": ["completion", "flying"]})
    assert "typical_p" in refusal("0.40.0", tmp_path, {"files": {}, "parameters": {"typical_p": 0.7}})


def test_a_length_that_is_not_the_answers_is_a_cut_connection(fake: FakeOllama, client: OllamaClient):
    fake.odd.wrong_length = True
    with pytest.raises(OllamaUnavailable) as caught:
        client.tags()
    assert caught.value.code == "ollama_cut"


def test_fields_that_an_older_version_lacks_are_done_without(fake: FakeOllama, client: OllamaClient, tiny_gguf: Path):
    fake.store.add("m:latest", tiny_gguf)
    fake.odd.lacks_fields = ("details", "capabilities", "digest", "model_info", "prompt_eval_count")
    assert client.tags()[0]["name"] == "m:latest"
    assert "details" not in client.show("m")
    assert client.chat({"model": "m", "messages": [{"role": "user", "content": "a"}], "options": {"num_predict": 1}})


def registered(client: OllamaClient, file: Path, **more: Any) -> dict[str, Any]:
    wanted = Registration("m:latest", file, {"num_ctx": 256}, **more)
    return register(client, wanted, None, True, lambda phase, done, total: None, lambda record: None)


def test_a_template_that_the_server_guesses_is_told_and_a_sent_one_stands(
    fake: FakeOllama, client: OllamaClient, tiny_gguf: Path
):
    fake.odd.detects_template = "{{ .Prompt }}"
    assert "using autodetected template chatml" in registered(client, tiny_gguf)["steps"]
    assert client.show("m")["template"] == "{{ .Prompt }}"
    steps = registered(client, tiny_gguf, template="{{ range .Messages }}{{ .Content }}{{ end }}")["steps"]
    assert "using autodetected template chatml" not in steps
    assert client.show("m")["template"] == "{{ range .Messages }}{{ .Content }}{{ end }}"


def test_layers_that_are_there_are_told_as_existing(client: OllamaClient, tiny_gguf: Path):
    first, again = (registered(client, tiny_gguf, template="{{ .Prompt }}")["steps"] for _ in range(2))
    assert any(step.startswith("creating new layer") for step in first)
    assert not any(step.startswith("creating new layer") for step in again)
    assert any(step.startswith("using existing layer") for step in again)


def test_a_renderer_that_the_server_chooses_is_in_its_manifest(
    fake: FakeOllama, client: OllamaClient, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
):
    fake.odd.sets_renderer = "gemma4"
    registered(client, tiny_gguf)
    monkeypatch.setenv("OLLAMA_MODELS", str(fake.store.folder))
    assert find_ollama_model("m").config["renderer"] == "gemma4"


def test_a_store_with_lists_dangling_links_and_shadows_gives_the_registered_weights(
    fake: FakeOllama, client: OllamaClient, tiny_gguf: Path, monkeypatch: pytest.MonkeyPatch
):
    fake.odd.mixes_layouts = True
    registered(client, tiny_gguf)
    monkeypatch.setenv("OLLAMA_MODELS", str(fake.store.folder))
    assert [str(model.name) for model in list_ollama_models()] == ["m:latest"]
    model = find_ollama_model("m")
    assert (model.why_not, model.weights[0].read_bytes()) == (None, tiny_gguf.read_bytes())


def test_a_wrong_method_and_an_unknown_path_are_told_apart(fake: FakeOllama):
    def status(method: str, path: str) -> int:
        with closing(http.client.HTTPConnection(fake.url.removeprefix("http://"))) as connection:
            connection.request(method, path, body=b"")
            return connection.getresponse().status

    assert [status("GET", path) for path in ("/api/show", "/api/nothing", "/api/ps")] == [405, 404, 200]


def test_a_blob_that_is_there_is_not_made_again(fake: FakeOllama, client: OllamaClient, tiny_gguf: Path):
    digest = hash_file(tiny_gguf, lambda done, total: None)
    for _ in range(2):
        client.upload(tiny_gguf, digest, lambda done, total: None)
    assert client.has_blob(digest)
    with pytest.raises(NotFound):
        client.show("m")
