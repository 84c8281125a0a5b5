"""What the tests of the GGUF room share: llama.cpp in a child process, and transformers' answers in float32."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llama_child import LlamaChild


@pytest.fixture(scope="session")
def llama() -> Iterator[LlamaChild]:
    """Return llama.cpp behind a pipe; the process starts with the first question."""
    child = LlamaChild()
    yield child
    child.close()
