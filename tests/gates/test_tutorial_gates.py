"""The course does what it says: every command as written, every number as measured, without a network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import ROOT
from llmlora.cli.main import run
from llmlora.core.locale import LANGUAGES
from llmlora.services.tutorials import Lesson, lesson_document, lessons

pytestmark = [pytest.mark.gate, pytest.mark.timeout(1800)]
LEVEL_1_SECONDS = 120


def test_every_lesson_runs_itself(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`check --all` in an empty workspace: nothing differs from the measured, and level 1 is done in two minutes."""
    code = run(["tutorial", "check", "--all", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 0, found
    assert all(step["state"] == "done" for level in found["levels"] for step in level["tried"])
    assert found["levels"][0]["seconds"] <= LEVEL_1_SECONDS


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("lesson", lessons(), ids=lambda lesson: lesson.name)
def test_the_commands_of_a_lesson_tick_its_steps(lesson: Lesson, language: str, home: Path, tmp_path: Path) -> None:
    """Every line of the lesson works in its turn; at the end every step that can be looked at is done."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT / "src"),
        "LLMLORA_LANG": language,
    }
    folder = tmp_path
    for block in re.findall(r"```sh\n(.*?)```", lesson_document(lesson, language), flags=re.S):
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
