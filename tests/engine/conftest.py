"""What the engine's tests share: one tiny base model, built once."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.engine_runs import tiny_llama


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the tiny llama, which no test changes."""
    return tiny_llama(tmp_path_factory.mktemp("base"))
