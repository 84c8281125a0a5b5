"""The course does what it says: every command as written, every number as measured, without a network."""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import ROOT
from llmlora.cli.main import run
from llmlora.core.locale import LANGUAGES
from llmlora.services.tutorials import Lesson, lesson_document, lessons

pytestmark = pytest.mark.gate
LEVEL_1_SECONDS = 120
# Measured beside other work (load 5 on two cores): 10 minutes for `check --all`, of which the processor worked 4.
LIMIT = 1800


# Read by every Python that starts with it on its path: notes each connection that would leave the machine, and refuses.
NO_NETWORK = """
import os, socket

connect_anywhere = socket.socket.connect

def connect(self, address):
    if isinstance(address, tuple) and str(address[0]) not in ("127.0.0.1", "::1", "localhost"):
        with open(os.environ["REFUSED"], "a") as file:
            print(address, file=file)
        raise OSError("no network in this test")
    return connect_anywhere(self, address)

socket.socket.connect = connect
"""


@pytest.mark.timeout(LIMIT)
def test_level_1_checks_itself_in_two_minutes(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the processor's time, which other work on this machine does not change."""
    before = processor_seconds()
    code = run(["tutorial", "check", "1", "--json"])
    seconds = processor_seconds() - before
    (found,) = json.loads(capsys.readouterr().out)["levels"]
    with capsys.disabled():
        print(f"level 1: {seconds:.0f} s of the processor, {found['seconds']:.0f} s by the clock")
    assert code == 0, found
    assert seconds <= LEVEL_1_SECONDS


@pytest.mark.timeout(LIMIT)
def test_check_all_is_green_offline(home: Path, tmp_path: Path) -> None:
    """The command itself in an empty workspace, without a network: no step of any level differs from the measured."""
    (tmp_path / "sitecustomize.py").write_text(NO_NETWORK, encoding="utf-8")
    refused = tmp_path / "refused"
    path = os.pathsep.join([str(tmp_path), str(ROOT / "src")])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    finished = subprocess.run(
        [sys.executable, "-m", "llmlora", "tutorial", "check", "--all", "--json"],
        env={**environment, "PYTHONPATH": path, "REFUSED": str(refused)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout + finished.stderr
    levels = json.loads(finished.stdout)["levels"]
    assert [level["level"] for level in levels] == [lesson.level for lesson in lessons()]
    assert all(step["state"] == "done" for level in levels for step in level["tried"])
    assert not refused.exists(), refused.read_text(encoding="utf-8")


def processor_seconds() -> float:
    """Return the processor's time of the processes that this one started and that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def blocks(lesson: Lesson, language: str) -> list[str]:
    """Return the commands of a lesson, block by block."""
    return re.findall(r"```sh\n(.*?)```", lesson_document(lesson, language), flags=re.S)


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_commands_of_a_lesson_tick_its_steps(lesson: Lesson, home: Path, tmp_path: Path) -> None:
    """Every line of the lesson works in its turn; at the end every step that can be looked at is done.

    The lines are the same in all languages, so one of them is walked.
    """
    assert all(blocks(lesson, language) == blocks(lesson, "ja") for language in LANGUAGES)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "LLMLORA_LANG": "ja",
    }
    folder = tmp_path
    for block in blocks(lesson, "ja"):
        for line in block.splitlines():
            if line.startswith("cd "):
                folder /= line.removeprefix("cd ")
                continue
            finished = subprocess.run(
                ["sh", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=False
            )
            assert finished.returncode == 0, f"{line}\n{finished.stdout}\n{finished.stderr}"
    shown = subprocess.run(
        ["llmlora", "tutorial", "start", str(lesson.level), "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    steps = json.loads(shown.stdout)["steps"]
    assert {step["id"] for step in steps if step["state"] != "done"} <= {
        step["id"] for step in steps if step["kind"] in ("read", "chat")
    }
