"""A terminal whose locale names no language is told once of Japanese; pasted Japanese commands need no locale."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HINT = "for Japanese: --lang ja"


def shown_on_a_terminal(folder: Path, commands: str, **variables: str) -> str:
    """Return what a shell shows on a terminal of its own, which is a session of its own."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(folder), **variables}
    leader, follower = pty.openpty()
    script = f'llmlora() {{ {sys.executable} -m llmlora "$@"; }}\n{commands}'
    streams = {"stdin": follower, "stdout": follower, "stderr": follower}
    finished = subprocess.run(["sh", "-c", script], env=environment, start_new_session=True, check=True, **streams)
    assert finished.returncode == 0
    os.close(follower)
    shown = os.read(leader, 1 << 16).decode()
    os.close(leader)
    return shown


def test_a_session_without_a_language_is_told_once(tmp_path: Path) -> None:
    shown = shown_on_a_terminal(tmp_path, "llmlora --version; llmlora --version", LC_ALL="C")
    assert shown.count(HINT) == 1 and "日本語" in shown
    assert shown_on_a_terminal(tmp_path, "llmlora --version").count(HINT) == 1, "another session is told, too"


@pytest.mark.parametrize(
    ("command", "variables"),
    [
        ("llmlora --version --quiet", {}),
        ("llmlora models --json", {}),
        ("llmlora --version --lang en", {}),
        ("llmlora --version 2>&1 | cat", {}),
        ("llmlora --version", {"LANG": "en_US.UTF-8"}),
        ("llmlora --version", {"LLMLORA_LANG": "ja"}),
    ],
)
def test_nobody_else_is_told(command: str, variables: dict[str, str], tmp_path: Path) -> None:
    assert HINT not in shown_on_a_terminal(tmp_path, command, **variables)


@pytest.mark.parametrize("page", ["README.ja.md", "docs/guide/first-steps.ja.md"])
@pytest.mark.parametrize("locale", ["C", "en_US.UTF-8"])
def test_the_first_block_of_a_japanese_page_shows_japanese_in_any_locale(page: str, locale: str) -> None:
    block = re.search(r"```sh\n(.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    assert block is not None and "make demo" in block[1]
    before = block[1][: block[1].index("make demo")]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), "LC_ALL": locale}
    script = f"{before}\n{sys.executable} -m llmlora trian"
    said = subprocess.run(["sh", "-c", script], env=environment, capture_output=True, text=True, check=False).stderr
    assert said.startswith("エラー: ")
