"""Settings from a file: read as Compose reads them, weaker than the environment, refused with a way out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmlora.core.env_file import load_env_file
from llmlora.core.errors import ConfigError, NotFound
from llmlora.core.server import read_server_settings


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give a test an environment of its own, which goes with it."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in ("LLMLORA_PORT", "LLMLORA_TOKEN", "LLMLORA_HOST"):
        os.environ.pop(name, None)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / ".env"
    path.write_bytes(text.encode("utf-8") if isinstance(text, str) else text)
    return path


def test_values_comments_and_quotes(tmp_path: Path) -> None:
    load_env_file(
        written(tmp_path, "# a comment\nLLMLORA_PORT=8123\nexport LLMLORA_TOKEN='a b' # more\nLLMLORA_HOST=\n")
    )
    assert os.environ["LLMLORA_PORT"] == "8123"
    assert os.environ["LLMLORA_TOKEN"] == "a b"
    assert "LLMLORA_HOST" not in os.environ  # an empty one is none, as in the example
    os.environ["LLMLORA_TOKEN"] = "ab"
    assert read_server_settings().port == 8123


def test_the_environment_wins(tmp_path: Path) -> None:
    os.environ["LLMLORA_PORT"] = "9000"
    load_env_file(written(tmp_path, "LLMLORA_PORT=8123\n"))
    assert os.environ["LLMLORA_PORT"] == "9000"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        load_env_file(tmp_path / ".env")
    assert caught.value.code == "file_not_found"


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_env_file(written(tmp_path, b"LLMLORA_PORT=\xff\xfe\n"))
    assert caught.value.code == "env_file_unreadable"
