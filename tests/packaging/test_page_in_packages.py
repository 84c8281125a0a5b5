"""The packages hold page and manual, and a wheel alone is enough: no Node, no compiler, no checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from pathlib import Path

import pytest

from served import serving

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src" / "llmlora" / "web" / "dist" / "index.html"
MEMBER = "llmlora/web/dist/index.html"
MANUALS = ("llmlora/web/manual/ja/index.html", "llmlora/web/manual/en/index.html")

pytestmark = pytest.mark.gate


@pytest.fixture(scope="module")
def builder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment with the build tool alone, and return its Python."""
    folder = tmp_path_factory.mktemp("builder")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "hatchling>=1.27,<2")
    return python


@pytest.fixture(scope="module")
def packages(builder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel of the checkout as a release does."""
    folder = tmp_path_factory.mktemp("packages")
    run(builder, "-m", "hatchling", "build", "-t", "sdist", "-t", "wheel", "-d", folder)
    return folder


def run(*words: object, cwd: Path = ROOT, seconds: int = 300, **environment: str) -> None:
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


@pytest.mark.timeout(1800)
def test_the_wheel_in_an_empty_environment_trains_exports_and_serves(packages: Path, tmp_path: Path) -> None:
    """Gate U1: pip alone installs it; nothing on PATH but the environment itself."""
    (wheel,) = packages.glob("*.whl")
    run(sys.executable, "-m", "venv", tmp_path / "env")
    tools = tmp_path / "env" / "bin"
    install = [tools / "python", "-m", "pip", "install", "--quiet", "-c", ROOT / "constraints.txt", f"{wheel}[train]"]
    run(*install, cwd=tmp_path, seconds=1500)
    alone = {"PATH": str(tools), "PYTHONPATH": "", "LLMLORA_HOME": str(tmp_path / "home")}
    run(tools / "llmlora", "demo", "--out", tmp_path / "demo", cwd=tmp_path, seconds=300, **alone)
    assert (tmp_path / "demo" / "export" / "verify.json").is_file()
    program = [tools / "llmlora", "serve", "--port", "0"]
    server = subprocess.Popen(program, env={**os.environ, **alone}, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    try:
        address = server.stdout.readline().strip()
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(address, timeout=30) as answer:
            assert answer.read().decode() == PAGE.read_text(encoding="utf-8")
    finally:
        server.terminate()
        assert server.wait(timeout=30) == 0


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
