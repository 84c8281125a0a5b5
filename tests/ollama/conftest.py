"""Servers for the tests: the fake one in every version, and the one that OLLAMA_HOST names where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_ollama.server import FakeOllama
from llmlora.gguf.writer import write_gguf
from llmlora.ollama.client import OllamaClient
from llmlora.weights.base import open_folder
from tiny_models import tiny_model

VERSIONS = ("0.12.0", "0.33.0", "0.34.1", "0.40.0")


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeOllama]:
    with FakeOllama(tmp_path / "store") as server:
        yield server


@pytest.fixture
def client(fake: FakeOllama) -> Iterator[OllamaClient]:
    with OllamaClient(fake.url) as found:
        yield found


@pytest.fixture(params=[*VERSIONS, pytest.param("live", marks=pytest.mark.live_ollama)])
def any_client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OllamaClient]:
    if request.param == "live":
        with OllamaClient() as found:
            yield found
        return
    with FakeOllama(tmp_path / "store", request.param) as server, OllamaClient(server.url) as found:
        yield found


@pytest.fixture(scope="session")
def tiny_gguf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    base = open_folder(tiny_model("llama", folder / "base"))
    write_gguf(base.source, base.config, base.path, folder / "tiny.gguf", "F16", "tiny")
    return folder / "tiny.gguf"
