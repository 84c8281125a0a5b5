"""A command whose reader goes away works on to its end: closed pipes, a terminal that is gone, a full disk."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cli.command_line import command, write_data
from llmlora.cli.output import LastingStream

STEPS = ("--set", "max_steps=12", "--set", "dtype=float32", "--set", "r=2")


def train_words(place: Path, out: Path) -> list[str]:
    return command("train", "--model", place / "base", "--data", place / "data.jsonl", "--out", out, *STEPS)


def ended(folder: Path) -> str:
    lines = (folder / "runs" / "1" / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return str(json.loads(lines[-1]).get("status"))


@pytest.mark.parametrize("closed", ["stdout", "stderr", "both"])
def test_training_goes_on_when_the_pipe_closes(place: Path, tmp_path: Path, closed: str) -> None:
    """`llmlora train … 2>&1 | head -1` and `| grep -m1 x`: the reader ends at once."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    streams = {name: write_end if closed in (name, "both") else subprocess.DEVNULL for name in ("stdout", "stderr")}
    process = subprocess.Popen(train_words(place, tmp_path / "job"), **streams)
    os.close(write_end)
    assert process.wait(240) == 0, "the exit code is the job's, not the pipe's"
    assert ended(tmp_path / "job") == "succeeded"
    assert (tmp_path / "job" / "adapter").is_dir()


def test_training_goes_on_when_the_terminal_is_gone(place: Path, tmp_path: Path) -> None:
    """Writing to a terminal whose window was closed is EIO; rich would end the program on the pipe's error as well."""
    leader, follower = os.openpty()
    process = subprocess.Popen(train_words(place, tmp_path / "job"), stdout=follower, stderr=follower, stdin=follower)
    os.close(follower)
    os.read(leader, 1)
    os.close(leader)
    assert process.wait(240) == 0
    assert ended(tmp_path / "job") == "succeeded"


@pytest.mark.parametrize("words", [["models"], ["models", "--json"], ["--help"], ["train", "--nonsense"]])
def test_every_command_keeps_its_exit_code_without_a_reader_and_prints_no_traceback(
    tmp_path: Path, words: list[str]
) -> None:
    expected = subprocess.run(command(*words), capture_output=True, check=False).returncode
    read_end, write_end = os.pipe()
    os.close(read_end)
    with (tmp_path / "stderr").open("w+b") as stderr:
        process = subprocess.Popen(command(*words), stdout=write_end, stderr=stderr)
        os.close(write_end)
        assert process.wait(60) == expected
        stderr.seek(0)
        assert b"BrokenPipe" not in (text := stderr.read()) and b"Traceback" not in text


def test_a_full_disk_behind_stdout_is_a_failure_and_behind_stderr_none(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        assert subprocess.run(command("models", "--json"), stdout=full, stderr=subprocess.DEVNULL).returncode == 1
        told = subprocess.run(command("models", "--json"), stdout=subprocess.PIPE, stderr=full, check=False)
    assert told.returncode == 0
    assert json.loads(told.stdout)["models"]


def test_after_the_reader_is_gone_everything_goes_nowhere(tmp_path: Path) -> None:
    read_end, write_end = os.pipe()
    stream = LastingStream(write_end, drops_everything=False)
    assert stream.write(b"heard") == 5
    assert os.read(read_end, 5) == b"heard"
    os.close(read_end)
    assert [stream.write(b"lost"), stream.write(b"lost")] == [4, 4]
    os.write(write_end, b"native code writes here, too")
    os.close(write_end)


def test_a_program_that_has_no_streams_at_all_starts(tmp_path: Path) -> None:
    """As cron or a daemon may start it: descriptors 0 to 2 are closed."""
    data = write_data(tmp_path)
    script = f"exec >&- 2>&- <&-; exec {sys.executable} -m llmlora dataset check {data}"
    assert subprocess.run(["sh", "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
def test_streams_that_were_closed_before_the_start_change_nothing(place: Path, tmp_path: Path, closed: str) -> None:
    """As under some services and schedulers; the numbers of closed streams must not go to other files."""
    words = command("dataset", "convert", place / "data.jsonl", "-o", tmp_path / "out.jsonl")
    line = f"{shlex.join(str(word) for word in words)} {closed}"
    assert subprocess.run(["bash", "-c", line], check=False, capture_output=True).returncode == 0
    assert (tmp_path / "out.jsonl").is_file()
    failing = f"{shlex.join(str(word) for word in command('dataset', 'check', tmp_path / 'none.csv'))} {closed}"
    assert subprocess.run(["bash", "-c", failing], check=False, capture_output=True).returncode == 3
