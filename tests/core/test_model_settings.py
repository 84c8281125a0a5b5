"""The server's settings for models: folders that may be named, and how much of the machine loaded models may take."""

import os
from pathlib import Path

import pytest

from llmlora.core.errors import ConfigError
from llmlora.core.server import read_server_settings


def test_the_defaults(monkeypatch):
    for name in ("LLMLORA_MODEL_ROOTS", "LLMLORA_WARM_MEMORY_PERCENT", "LLMLORA_WARM_SECONDS"):
        monkeypatch.delenv(name, raising=False)
    settings = read_server_settings()
    assert (settings.model_roots, settings.warm_memory_percent, settings.warm_seconds) == ((), 40, 300)


@pytest.mark.parametrize(
    ("text", "folders"),
    [
        ("", ()),
        ("/a", (Path("/a"),)),
        (os.pathsep.join(["/a", "/b c"]), (Path("/a"), Path("/b c"))),
        (f"/a{os.pathsep}", (Path("/a"),)),
        ("~/models", (Path.home() / "models",)),
    ],
)
def test_folders(text, folders, monkeypatch):
    monkeypatch.setenv("LLMLORA_MODEL_ROOTS", text)
    assert read_server_settings().model_roots == folders


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LLMLORA_MODEL_ROOTS", "models"),
        ("LLMLORA_MODEL_ROOTS", os.pathsep.join(["/a", "./b"])),
        ("LLMLORA_WARM_MEMORY_PERCENT", "0"),
        ("LLMLORA_WARM_MEMORY_PERCENT", "96"),
        ("LLMLORA_WARM_MEMORY_PERCENT", "half"),
        ("LLMLORA_WARM_SECONDS", "-1"),
        ("LLMLORA_WARM_SECONDS", "nan"),
    ],
)
def test_what_cannot_be_used_is_named(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as refused:
        read_server_settings()
    assert refused.value.params["name"] == name


@pytest.mark.parametrize(("name", "value"), [("WARM_MEMORY_PERCENT", "95"), ("WARM_SECONDS", "0")])
def test_the_ends_of_a_range(name, value, monkeypatch):
    monkeypatch.setenv(f"LLMLORA_{name}", value)
    assert getattr(read_server_settings(), name.lower()) == float(value)
