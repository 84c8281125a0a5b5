"""Completion in the shells that people use, as they use it: installed by its command, then Tab in a new terminal."""

from __future__ import annotations

import os
import pty
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from docs.pages import ROOT
from llmlora.store.opening import open_store
from services.fake_launcher import submit

pytestmark = [pytest.mark.gate, pytest.mark.timeout(1800)]
SHELLS = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}
PATIENCE = 240.0  # seconds for one line: each Tab starts the program once or twice, beside other work
# What is typed, with Tab, and the words that the program is then called with.
TYPED = {
    "llmlora tu\t\n": "tutorial",
    "llmlora jobs pau\tni\t\n": "jobs pause nightly",
    "llmlora train --tr\tx\n": "train --training-preset x",
    "llmlora dataset che\tdat\t\n": "dataset check data.jsonl",
}


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of its own with a workspace that has a job, a data file, and a `llmlora` that notes what it is asked."""
    database = open_store(home)
    submit(database, name="nightly")
    database.close()
    tools, folder = tmp_path / "tools", tmp_path / "place"
    tools.mkdir()
    folder.mkdir()
    (folder / "data.jsonl").touch()
    program = tools / "llmlora"
    asks_for_words = f'exec "{sys.executable}" -m llmlora "$@"'
    program.write_text(
        "#!/bin/sh\n"
        f'case "$_LLMLORA_COMPLETE$1" in complete_* | --install-completion) {asks_for_words} ;; esac\n'
        f"echo \"$*\" >> '{tmp_path / 'asked'}'\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    for name, value in {
        "HOME": str(tmp_path / "user"),
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "TERM": "xterm",
        "XDG_CONFIG_HOME": str(tmp_path / "user" / ".config"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "user").mkdir()
    (tmp_path / "user" / ".zshrc").touch()  # without one zsh asks a new user how to begin
    return tmp_path


@contextmanager
def terminal(shell: str, folder: Path) -> Iterator[int]:
    """A shell at a terminal: what is written to the number is typed, and what is read from it is shown."""
    child, screen = pty.fork()
    if child == 0:
        os.chdir(folder)
        os.execvp(SHELLS[shell][0], SHELLS[shell])
    try:
        yield screen
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(screen)


def read(screen: int, seconds: float) -> str:
    """Return what is shown within some seconds; nothing, when it stays still."""
    return os.read(screen, 65536).decode(errors="replace") if select.select([screen], [], [], seconds)[0] else ""


def typed_at(screen: int, line: str, is_done: Callable[[str], bool]) -> str:
    """Type a line once the shell waits for one, and return the screen when it is done."""
    shown = ""
    while (more := read(screen, 1.0)) or not shown:
        shown += more
    os.write(screen, line.encode())
    began = time.monotonic()
    while not is_done(shown):
        assert time.monotonic() - began < PATIENCE, shown
        shown += read(screen, 0.1)
    return shown


@pytest.mark.parametrize("shell", SHELLS)
def test_tab_completes(shell: str, place: Path) -> None:
    """Verbs, options, jobs of the workspace and files, on the first Tab of a new terminal."""
    assert shutil.which(shell), f"this gate needs {shell}: apt-get install bash zsh fish"
    asked = place / "asked"
    asked.touch()
    with terminal(shell, place / "place") as screen:
        typed_at(screen, "llmlora --install-completion\n", lambda shown: "from the next terminal on" in shown)
    for number, (line, words) in enumerate(TYPED.items(), 1):
        with terminal(shell, place / "place") as screen:
            shown = typed_at(screen, line, lambda _, at=number: len(asked.read_text().splitlines()) == at)
        assert asked.read_text().splitlines()[-1] == words, shown
