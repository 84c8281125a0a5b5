"""The READMEs work as written: each command of their blocks in a clone, and what each promises is there afterwards."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.pages import ROOT, read

pytestmark = [pytest.mark.gate, pytest.mark.timeout(1800)]
NAMES = ("README.md", "README.ja.md")
README = pytest.mark.parametrize("name", NAMES)
ROWS = """質問,回答
営業時間は？,10時から19時です。
定休日は？,火曜日です。
送料は？,550円です。
返品は？,14日以内です。
"""


def blocks(name: str, kind: str = "sh") -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", read(name), flags=re.S)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a clone of this checkout whose `.venv` has what `make` would install, from where it is already."""
    folder = tmp_path / "llmlora"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for file in map(Path, listed.stdout.splitlines()):
        if (ROOT / file).is_file():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, folder / file)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / ".venv"], check=True)
    python = folder / ".venv" / "bin" / "python"
    (site,) = (folder / ".venv" / "lib").glob("python*/site-packages")
    (site / "here.pth").write_text(f"{folder / 'src'}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    program = folder / ".venv" / "bin" / "llmlora"
    program.write_text(f'#!/bin/sh\nexec "{python}" -m llmlora "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    for stamp in (".installed-run", ".installed-dev"):
        (folder / ".venv" / stamp).touch()
    (folder / "my-data.csv").write_text(ROWS, encoding="utf-8")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return what a newcomer's shell has: a home of its own, nothing of this checkout."""
    own = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "LLMLORA_LANG")}
    return {**own, "HOME": str(tmp_path), "LLMLORA_HOME": str(tmp_path / "home"), "LLMLORA_SKIP_WEB": "1"}


def shell(script: str, folder: Path, environment: dict[str, str]) -> str:
    """Run the lines of a block one after the other in one shell, and return what they print."""
    done = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_each_block_is_run_here() -> None:
    """A block that comes into a README later has no promise yet."""
    for name in NAMES:
        assert [len(blocks(name, kind)) for kind in ("sh", "python")] == [3, 1]
        assert re.findall(r"^make (\w+)", blocks(name)[0], flags=re.M) == ["demo", "test", "serve"]


@README
def test_make_goes_the_whole_way_and_names_the_tests(name: str, clone: Path, environment: dict[str, str]) -> None:
    """`make test` is asked what it would run: all of it runs in continuous integration, for twenty minutes."""
    head = [line for line in blocks(name)[0].splitlines() if not line.startswith("make ")]
    shell("\n".join([*head, "make demo"]), clone, environment)
    verified = json.loads((clone / "demo-output" / "export" / "verify.json").read_text(encoding="utf-8"))
    assert {file["quantization"]: file["verdict"] for file in verified["files"]} == {
        "F16": "verified", "Q4_K_M": "verified",
    }  # fmt: skip
    told = shell("make -n test", clone, environment)
    assert all(step in told for step in ("ruff check", "mypy", "lint-imports", "pytest"))


@pytest.fixture
def port() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    yield number


def test_make_serve_prints_one_address_that_opens(clone: Path, environment: dict[str, str], port: int) -> None:
    """On a port that is free here, which `.env` says, as it may be said to Docker Compose."""
    (clone / ".env").write_text(f"LLMLORA_PORT={port}\n", encoding="utf-8")
    with subprocess.Popen(
        ["make", "serve"],
        cwd=clone, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as server:  # fmt: skip
        assert server.stdout is not None
        try:
            address = next(line.strip() for line in server.stdout if line.startswith("http://"))
            assert address.startswith(f"http://127.0.0.1:{port}/?token=")
            token = address.split("token=")[1]
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/system-info", headers={"Authorization": f"Bearer {token}"}
            )
            with urllib.request.urlopen(request, timeout=60) as answer:
                assert answer.status == 200
        finally:
            os.killpg(server.pid, signal.SIGINT)


@README
def test_the_course_begins_as_written(name: str, clone: Path, environment: dict[str, str]) -> None:
    told = shell(blocks(name)[1], clone, environment)
    assert (clone / "level1" / "level1_basic_qa.json").is_file()
    assert ("データ" in told) == (name == "README.ja.md"), "in the language of the README"


@README
def test_own_data_become_a_checked_model_as_written(name: str, clone: Path, environment: dict[str, str]) -> None:
    """Each command does what its comment says; Python does the same."""
    shell(blocks(name)[2], clone, environment)
    assert (clone / "my-job" / "evaluation-1" / "report.html").is_file()
    verified = json.loads((clone / "my-export" / "verify.json").read_text(encoding="utf-8"))
    assert [file["quantization"] for file in verified["files"]] == ["F16", "Q4_K_M"]
    assert (clone / "my-export" / "model-Q4_K_M.gguf").is_file()
    (script,) = blocks(name, "python")
    elsewhere = clone / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(clone / "my-data.csv", elsewhere)
    (elsewhere / "own.py").write_text(script, encoding="utf-8")
    assert shell(f"{clone / '.venv' / 'bin' / 'python'} own.py", elsewhere, environment).strip()
