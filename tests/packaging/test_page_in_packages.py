"""The packages hold page and manual, and a wheel alone is enough: no Node, no compiler, no checkout."""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from llmlora.export.runtime_checks import LIMITS
from served import serving

ROOT = Path(__file__).parents[2]
BUILD_MANUAL = ROOT / ".ci" / "build_manual.py"
PAGE = ROOT / "src" / "llmlora" / "web" / "dist" / "index.html"
MEMBER = "llmlora/web/dist/index.html"
QUESTION, ANSWER = "花沢パン屋の食パンはいくらですか？", "380円"  # of level 1, which the demo teaches
STREAM = """
import json, sys
from openai import OpenAI
address, token, question = sys.argv[1:]
client = OpenAI(base_url=address, api_key=token)
model = next(model.id for model in client.models.list() if model.id.startswith("job:") and "@" not in model.id)
messages = [{"role": "user", "content": question}]
stream = client.chat.completions.create(model=model, messages=messages, temperature=0, stream=True)
print(json.dumps([piece for chunk in stream for choice in chunk.choices if (piece := choice.delta.content)]))
"""
MANUALS = ("llmlora/web/manual/ja/index.html", "llmlora/web/manual/en/index.html")

pytestmark = pytest.mark.gate


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the build tool and what builds the manual, and return its Python."""
    folder = tmp_path_factory.mktemp("builder")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "hatchling>=1.27,<2", runpy.run_path(str(BUILD_MANUAL))["ZENSICAL"])
    return python


@pytest.fixture(scope="module")
def packages(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel of the checkout as a release does."""
    folder = tmp_path_factory.mktemp("packages")
    run(builder, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder)
    return folder


def run(*words: object, cwd: Path = ROOT, seconds: int = 300, **environment: str) -> str:
    finished = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


def front_page(wheel: Path, folder: Path) -> str:
    """Install a wheel beside the packages of this Python, and return what its server shows at `/` without Node."""
    run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder / "site", wheel)
    with serving(folder / "home", PYTHONPATH=str(folder / "site"), PATH="/nowhere") as server:
        status, page = server.get("/", Accept="text/html")
    assert status == 200
    return page


def test_wheel_and_sdist_hold_the_page_and_the_wheel_serves_it(packages: Path, tmp_path: Path) -> None:
    (wheel,) = packages.glob("*.whl")
    (sdist,) = packages.glob("*.tar.gz")
    page = PAGE.read_text(encoding="utf-8")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read(MEMBER).decode() == page
        assert set(MANUALS) <= set(archive.namelist())
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
        for member in (MEMBER, *MANUALS):
            assert [name for name in names if name.endswith(f"/src/{member}")]
    assert front_page(wheel, tmp_path) == page


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel alone, on whose PATH is nothing else, and a folder to work in."""

    folder: Path
    environment: dict[str, str]

    def tool(self, name: str) -> Path:
        return self.folder / "env" / "bin" / name

    def run(self, *words: object, seconds: int = 300) -> str:
        return run(*words, cwd=self.folder, seconds=seconds, **self.environment)

    @contextmanager
    def serving(self) -> Iterator[str]:
        """Serve the workspace and give the address with its token."""
        program = [self.tool("llmlora"), "serve", "--port", "0"]
        environment = {**os.environ, **self.environment}
        pipes = {"stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(program, env=environment, cwd=self.folder, **pipes) as server:
            try:
                yield server.stdout.readline().strip()
            finally:
                server.terminate()
                assert server.wait(timeout=30) == 0


@pytest.fixture(scope="module")
def installed(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Install the wheel by pip alone, with OpenAI's client beside it, and go the whole way of the demo."""
    folder = tmp_path_factory.mktemp("installed")
    (wheel,) = packages.glob("*.whl")
    run(sys.executable, "-m", "venv", folder / "env")
    tools = folder / "env" / "bin"
    made = Installed(folder, {"PATH": str(tools), "PYTHONPATH": "", "LLMLORA_HOME": str(folder / "home")})
    install = [tools / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt"]
    run(*install, f"{wheel}[train]", "openai", cwd=folder, seconds=1500)
    made.run(made.tool("llmlora"), "demo", "--out", folder / "demo")
    return made


@pytest.mark.timeout(1800)
def test_the_wheel_in_an_empty_environment_trains_exports_and_serves(installed: Installed) -> None:
    """Gate U1: pip alone installs it; nothing on PATH but the environment itself."""
    assert (installed.folder / "demo" / "export" / "verify.json").is_file()
    with installed.serving() as address:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        with opener.open(address, timeout=30) as answer:
            assert answer.read().decode() == PAGE.read_text(encoding="utf-8")
        with opener.open(address.partition("?")[0] + "docs", timeout=30) as answer:
            assert answer.read().decode() == PAGE.with_name("docs.html").read_text(encoding="utf-8")


@pytest.mark.timeout(1800)
def test_what_was_made_runs_in_other_programs(installed: Installed) -> None:
    """Gate U12: bare PEFT with the adapter, bare transformers with the merged folder and llama.cpp answer alike."""
    job, merged = installed.folder / "demo" / "job", installed.folder / "merged"
    installed.run(installed.tool("llmlora"), "merge", job, "-o", merged, "--dtype", "float32")
    base = json.loads((job / "config.json").read_text(encoding="utf-8"))["base_dir"]
    gguf = installed.folder / "demo" / "export" / "model-F16.gguf"
    script = Path(__file__).with_name("foreign_programs.py")
    words = (installed.tool("python"), script, base, job / "adapter", merged, gguf, QUESTION)
    found = json.loads(installed.run(*words).splitlines()[-1])
    assert found["same_prompt"]
    assert found["merged_difference"] <= 1e-5
    assert found["gguf_difference"] <= LIMITS["F16"]["max_diff"]
    assert len(set(found["answers"])) == 1
    assert ANSWER in found["answers"][0]
    assert {"adapter_config.json", "adapter_model.safetensors", "tokenizer.json"} <= set(found["adapter_files"])


@pytest.mark.timeout(1800)
def test_openais_client_streams_from_the_wheel(installed: Installed) -> None:
    """Gate U12: what a job of the workspace trained, by name and token, piece by piece."""
    data = next(installed.folder.rglob("llmlora/assets/datasets/level1_basic_qa.json"))
    installed.run(installed.tool("llmlora"), "train", "--model", "nano", "--data", data)
    with installed.serving() as address:
        place, _, token = address.partition("?token=")
        pieces = json.loads(installed.run(installed.tool("python"), "-c", STREAM, f"{place}v1", token, QUESTION))
    assert len(pieces) > 3
    assert ANSWER in "".join(pieces)


def test_an_install_without_pages_says_so(builder: Path, tmp_path: Path) -> None:
    """`LLMLORA_SKIP_WEB=1` needs no Node, and its server tells that it has the API alone."""
    archive = tmp_path / "source.tar"
    run("git", "archive", "--output", archive, "HEAD")
    source = tmp_path / "source"
    source.mkdir()
    with tarfile.open(archive) as files:
        files.extractall(source, filter="data")
    run(builder, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path, cwd=source, LLMLORA_SKIP_WEB="1")
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        assert MEMBER not in packed.namelist()
    page = front_page(wheel, tmp_path)
    assert "make serve" in page  # how to get the pages
    assert "<script" not in page
