"""The scripts that the sources name do what their first lines say, through the commands of `llmlora`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from docs.pages import ROOT

SCRIPTS = ("tutorial/scripts/run_all_verifications.sh", "tutorial/scripts/validate_datasets.py",
           "tutorial/scripts/test_tutorial_flow.py", "scripts/prepare_training_data.py",
           "scripts/start_web_interface.sh")  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Put a `llmlora` of this checkout in front of any other."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "llmlora"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m llmlora "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    path = f"{folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT / "src"), "LLMLORA_HOME": str(tmp_path / "home")}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the scripts alone, so that no `.venv` of the checkout comes first."""
    for name in SCRIPTS:
        target = tmp_path / "checkout" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
        target.chmod(0o755)
    return tmp_path / "checkout"


def run(script: Path, *words: object, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [str(script), *map(str, words)]
    return subprocess.run(command, env=environment, cwd=script.parent, capture_output=True, text=True, check=False)


def pretend(environment: dict[str, str], body: str) -> None:
    """Put a `llmlora` in its place that only says what it was asked."""
    program = Path(environment["PATH"].split(os.pathsep)[0]) / "llmlora"
    program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")


def test_scripts_are_executable() -> None:
    assert not [name for name in SCRIPTS if not os.access(ROOT / name, os.X_OK)]


def test_without_llmlora_each_says_how_to_get_it(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "env", "dirname"):
        (tools / name).symlink_to(str(shutil.which(name)))
    (tools / "python3").symlink_to(sys.executable)
    for name in SCRIPTS:
        words = ("--input", "a.txt", "--output", "b.jsonl") if "prepare" in name else ()
        done = run(checkout / name, *words, environment={**environment, "PATH": str(tools)})
        assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1), name
        assert done.stderr.endswith("make install\n")


def test_raw_text_is_prepared_and_checked(checkout: Path, environment: dict[str, str], tmp_path: Path) -> None:
    source, output = tmp_path / "raw.txt", tmp_path / "rows.jsonl"
    source.write_text("前書きです。\n\n質問: 送料は？\n回答: 500円です。\n", encoding="utf-8")
    script = checkout / "scripts" / "prepare_training_data.py"
    done = run(script, "--input_file", source, "--output_file", output, "--validate", environment=environment)
    assert done.returncode == 0, done.stderr
    (row,) = output.read_text(encoding="utf-8").splitlines()
    assert [turn["content"] for turn in json.loads(row)["messages"]] == ["送料は？", "500円です。"]
    assert "Line 1" in done.stdout or "line 1" in done.stdout  # what was left out is named


def test_rows_are_prepared_in_the_format_that_is_asked_for(
    checkout: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    source, output = tmp_path / "raw.jsonl", tmp_path / "rows.jsonl"
    source.write_text('{"text": "質問: 送料は？\\n回答: 500円です。"}\n', encoding="utf-8")
    script = checkout / "scripts" / "prepare_training_data.py"
    done = run(script, "--input", source, "--output", output, "--format", "text", environment=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(output.read_text(encoding="utf-8")) == {"text": "質問: 送料は？\n回答: 500円です。"}
    again = run(script, "--input", source, "--output", output, environment=environment)
    assert again.returncode == 3  # the exit code of llmlora: the output is there


def test_named_files_are_validated_and_bad_ones_named(
    checkout: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.jsonl", tmp_path / "bad.jsonl"
    good.write_text('{"instruction": "a?", "output": "b"}\n', encoding="utf-8")
    bad.write_text('{"instruction": "a?"\n', encoding="utf-8")
    script = checkout / "tutorial" / "scripts" / "validate_datasets.py"
    assert run(script, good, environment=environment).returncode == 0
    both = run(script, good, bad, environment=environment)
    assert (both.returncode, both.stderr.splitlines()[-1]) == (1, f"Not passed: {bad}")


def test_without_names_every_bundled_file_is_validated(checkout: Path, environment: dict[str, str]) -> None:
    pretend(environment, 'echo "$@"')
    bundled = ROOT / "src" / "llmlora" / "assets" / "datasets"
    shutil.copytree(bundled, checkout / bundled.relative_to(ROOT))
    done = run(checkout / "tutorial" / "scripts" / "validate_datasets.py", environment=environment)
    files = {file.name for file in bundled.glob("*.json*")} - {"level3_advanced_medical.meta.json"}
    assert {Path(line).name for line in done.stdout.splitlines() if line.startswith("dataset check")} == files


def test_the_course_is_walked_as_a_whole_or_by_level(checkout: Path, environment: dict[str, str]) -> None:
    pretend(environment, 'echo "$@"; exit 7')
    script = checkout / "tutorial" / "scripts" / "test_tutorial_flow.py"
    assert run(script, environment=environment).stdout == "tutorial check --all\n"
    done = run(script, "2", environment=environment)
    assert (done.stdout, done.returncode) == ("tutorial check 2\n", 7)


@pytest.mark.parametrize(("failing", "code"), [("none", 0), ("doctor", 1), ("tutorial", 1)])
def test_all_verifications_run_and_what_failed_is_said(
    checkout: Path, environment: dict[str, str], failing: str, code: int
) -> None:
    pretend(environment, f'echo "ran $1"; [ "$1" != {failing} ]')
    done = run(checkout / "tutorial" / "scripts" / "run_all_verifications.sh", environment=environment)
    assert done.returncode == code
    assert "ran doctor" in done.stdout
    assert "ran tutorial" in done.stdout
    names = {"doctor": "doctor", "tutorial": "course"}
    assert done.stderr.strip() == (f"Not passed: {names[failing]}" if code else "")


def test_the_web_interface_is_the_server_with_the_settings_of_the_file(
    checkout: Path, environment: dict[str, str]
) -> None:
    pretend(environment, 'echo "$@"')
    script = checkout / "scripts" / "start_web_interface.sh"
    assert run(script, "--port", "8050", environment=environment).stdout == "serve --port 8050\n"
    (checkout / ".env").write_text("LLMLORA_PORT=8001\n", encoding="utf-8")
    assert run(script, environment=environment).stdout == "serve --env-file .env\n"
