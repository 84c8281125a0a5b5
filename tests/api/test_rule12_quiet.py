"""R12: nothing leaves the machine by itself: no telemetry, nothing loaded from elsewhere, exact dependencies."""

import json
import re
import subprocess
from pathlib import Path

import pytest

import warm_workers
from api.clients import client_of
from cli.command_line import command
from llmlora.services import launch
from served import serving
from web.browser import ask, train

ROOT = Path(__file__).parents[2]
PACKAGE = json.loads((ROOT / "web" / "package.json").read_text(encoding="utf-8"))
LOCK = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
# Loaded by every Python process that is started with this folder on its path: who is asked for a name or connected to.
SPY = """
import os, sys
def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        where = args[1] if event in ("socket.connect", "socket.sendto") else args
        if isinstance(where, tuple):
            with open(os.environ["SPY_LOG"], "a") as log:
                log.write(f"{event} {where[0]}\\n")
sys.addaudithook(watch)
"""
HERE = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "None"}
ROWS = [{"instruction": f"質問{number}は？", "output": f"答え{number}です。"} for number in range(6)]


@pytest.fixture
def asked_of(tmp_path, monkeypatch):
    """Return every machine that processes started from now on have turned to, with the event that told of it."""
    (tmp_path / "spy").mkdir()
    (tmp_path / "spy" / "sitecustomize.py").write_text(SPY, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'spy'}:{ROOT / 'src'}")
    monkeypatch.setenv("SPY_LOG", str(tmp_path / "asked"))
    monkeypatch.setenv("OLLAMA_HOST", "http://127.0.0.1:9")  # the port that throws everything away
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK", warm_workers.ADDRESS):
        monkeypatch.delenv(name, raising=False)  # as on a machine where nobody has set anything; no forked worker
    (tmp_path / "asked").touch()
    return lambda: [line.split(" ", 1) for line in (tmp_path / "asked").read_text().splitlines()]


def test_from_an_upload_to_an_answer_nobody_else_is_asked(home, asked_of):
    short = {"max_steps": 2, "per_device_train_batch_size": 2, "max_length": 64}
    with serving(home) as server:
        job_id = train(server, ask(server, "/api/datasets", {"name": "店", "examples": ROWS})["id"], "静か", **short)
        wish = {"model": f"job:{job_id}", "prompt": "こんにちは", "max_length": 4}
        assert ask(server, "/api/generate", wish)["num_tokens"] >= 1
        for path in ("/", "/docs", "/manual", "/api/models", "/api/system-info", "/api/settings", "/api/ollama"):
            assert server.get(path)[0] < 500, path
    for words in (("models",), ("doctor",)):
        assert subprocess.run(command(*words), capture_output=True, check=False, timeout=120).returncode in (0, 1)
    asked = asked_of()
    assert ["socket.connect", "127.0.0.1"] in asked, "the spy sees what there is: whether an Ollama answers"
    assert [found for found in asked if found[1] not in HERE] == []


def test_libraries_are_told_to_send_nothing(tmp_path, monkeypatch):
    given = []
    for name in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(launch.subprocess, "Popen", lambda _, env, **more: given.append(env))
    launch.Worker("chat", tmp_path)
    wanted = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1", "WANDB_ERROR_REPORTING": "false"}
    assert {name: given[0][name] for name in wanted} == wanted


def test_the_pages_load_nothing_from_elsewhere():
    """Addresses that a reader may click are none that a browser loads."""
    loads = re.compile(
        r"""(?:src|srcset)=["'{`]+(?:https?:)?//|<link[^>]+href=["'](?:https?:)?//|url\(\s*["']?(?:https?:)?//"""
        r"""|@import\s+(?:url\()?["']?(?:https?:)?//|import\(["'](?:https?:)?//|fetch\(["'`](?:https?:)?//"""
    )
    sources = [
        *(ROOT / "web").glob("*.html"),
        *(ROOT / "web" / "src").rglob("*"),
        *(ROOT / "web" / "public").rglob("*"),
    ]
    texts = {path: path.read_text(encoding="utf-8", errors="replace") for path in sources if path.is_file()}
    assert len(texts) > 50
    assert [str(path) for path, text in texts.items() if loads.search(text)] == []


def test_the_servers_own_pages_load_nothing_from_elsewhere(app, home):
    client = client_of(app)
    for path in ("/login", "/"):
        page = client.get(path, headers={"Accept": "text/html"}).text
        assert "<html" in page and not re.search(r"(?:src|href)=[\"'](?:https?:)?//", page), path
    assert client.get("/docs").status_code == 401


def test_versions_of_the_pages_packages_are_exact_and_their_bytes_known():
    versions = {**PACKAGE["dependencies"], **PACKAGE["devDependencies"]}
    assert not {name: version for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)}
    packages = {name: about for name, about in LOCK["packages"].items() if name and not about.get("link")}
    without = [name for name, about in packages.items() if "integrity" not in about and not about.get("inBundle")]
    assert (len(packages) > 100, without) == (True, [])


def test_versions_of_python_packages_are_exact():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    wrong = [line for line in lines if line and not re.fullmatch(r"[\w.-]+==[\w.+]+(?: ; .+)?", line)]
    assert (len(lines) > 50, wrong) == (True, [])


def test_the_build_gets_no_key_to_publish_with():
    files = [ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "Makefile", *(ROOT / ".ci").iterdir()]
    keys = re.compile(
        r"TWINE|PYPI_|NPM_TOKEN|NODE_AUTH|_authToken|type=secret|upload\s+dist|npm publish", re.IGNORECASE
    )
    assert [path.name for path in files if keys.search(path.read_text(encoding="utf-8"))] == []
