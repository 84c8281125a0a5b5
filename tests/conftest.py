"""What every test gets: a workspace of its own, no network, English texts, no GPU, one thread per process."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import warm_workers
from llmlora.catalog.header_reader import use_header_reader
from llmlora.core.locale import set_language

_WARM = pytest.StashKey[Any]()
_SESSION_HOME = Path(tempfile.mkdtemp(prefix="llmlora-tests-"))
os.environ.update(
    {
        "LLMLORA_HOME": str(_SESSION_HOME),
        "LLMLORA_LANG": "en",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_CACHE": str(_SESSION_HOME / "no-hub-cache"),
        "OLLAMA_MODELS": str(_SESSION_HOME / "no-ollama-store"),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TOKENIZERS_PARALLELISM": "false",
        "LLMLORA_DEVICE": "cpu",
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }
)
os.environ.pop("FORCE_COLOR", None)


def pytest_configure(config: pytest.Config) -> None:
    """Let tests fork their workers from a warm process; gates start them as a user's command does."""
    has_processes = bool(getattr(config.option, "numprocesses", None)) and not hasattr(config, "workerinput")
    if not has_processes and config.option.markexpr != "gate":
        config.stash[_WARM] = warm_workers.start()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _WARM in config.stash:
        warm_workers.end(config.stash[_WARM])
    shutil.rmtree(_SESSION_HOME, ignore_errors=True)


def _is_loopback(address: Any) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    return str(address[0]) in {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"}


@pytest.fixture(autouse=True)
def own_signals() -> Iterator[None]:
    """Give the signals back that a command run in this process took, or every process started later ignores them."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection that leaves this machine: the whole product works offline."""
    patch = pytest.MonkeyPatch()

    def guarded(method: Any) -> Any:
        def connect(self: socket.socket, address: Any) -> Any:
            if not _is_loopback(address):
                raise AssertionError(f"a test tried to reach {address}")
            return method(self, address)

        return connect

    patch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    patch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    yield
    patch.undo()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test an empty workspace; without it the workspace of the session is used."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("LLMLORA_HOME", str(folder))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a tiny base model (`base`) and five rows to train on (`data.jsonl`)."""
    from cli.command_line import write_data
    from tiny_models import tiny_model  # with its libraries only where a test asks for a model

    folder = tmp_path_factory.mktemp("place")
    tiny_model("llama", folder / "base")
    write_data(folder)
    return folder


@pytest.fixture(autouse=True)
def fresh_terminal() -> Iterator[None]:
    """Undo the language and the output options that a test has fixed for its process."""
    set_language(None)
    yield
    set_language(None)
    output = sys.modules.get("llmlora.cli.output")
    if output is not None:
        vars(output.options).update(vars(output.Options()))


@pytest.fixture(autouse=True)
def own_headers() -> Iterator[None]:
    """Undo what an application has fixed for its process: that children read the headers of models."""
    yield
    use_header_reader(None)


@pytest.fixture(autouse=True)
def whole_floats() -> Iterator[None]:
    """Undo what training sets for its whole process: tiny numbers as zero, with which Hypothesis refuses to work."""
    yield
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_flush_denormal(False)
