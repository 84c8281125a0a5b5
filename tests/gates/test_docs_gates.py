"""The tutorial works as written: every command of "First steps" in an empty folder, in both languages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import read, shell_commands

pytestmark = [pytest.mark.gate, pytest.mark.timeout(900)]


@pytest.mark.parametrize("language", ["", ".ja"])
def test_first_steps_work_as_written(language: str, tmp_path: Path) -> None:
    text = read("docs", "guide", f"first-steps{language}.md")
    rows = re.findall(r"```text\n(.*?)```", text, flags=re.S)[0]
    (tmp_path / "shop.csv").write_text(rows, encoding="utf-8")
    folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": ""}
    ran = 0
    for block in re.findall(r"```sh\n(.*?)```", text, flags=re.S):
        for line in block.splitlines():
            if shell_commands(f"```sh\n{line}\n```", "llmlora"):
                finished = subprocess.run(
                    ["sh", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
                )
                assert finished.returncode == 0, f"{line}\n{finished.stdout}\n{finished.stderr}"
                ran += 1
    assert ran >= 7
    report = tmp_path / "shop-job" / "evaluation-1" / "report.html"
    assert "http" not in re.sub(r"http://www\.w3\.org/\S+", "", report.read_text(encoding="utf-8"))
    assert (tmp_path / "shop-gguf" / "verify.json").is_file()
