"""The packages hold the built page: wheel and sdist contain it, and an installed wheel serves it without Node."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from served import serving

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src" / "llmlora" / "web" / "dist" / "index.html"
MEMBER = "llmlora/web/dist/index.html"

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


def run(*words: object, cwd: Path = ROOT, **environment: str) -> None:
    finished = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
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
    with tarfile.open(sdist) as archive:
        assert [name for name in archive.getnames() if name.endswith(f"/src/{MEMBER}")]
    assert front_page(wheel, tmp_path) == page


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
