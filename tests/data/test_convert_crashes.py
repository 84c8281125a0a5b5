"""A conversion into two files, ended at every flush: what is trained on never stands beside rows of another split."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from llmlora.core import publish
from llmlora.core.errors import LlmloraError
from llmlora.core.layout import TEMPORARY_PREFIX
from llmlora.data.convert import convert_dataset

KILLED = 9
OLD, NEW = 1, 2  # seeds of the split


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "data.jsonl"
    rows = [{"instruction": f"質問{number}", "output": f"答え{number}。"} for number in range(12)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def convert(data: Path, output: Path, seed: int) -> None:
    convert_dataset(data, output, split=0.25, seed=seed, overwrite=True)


def contents(output: Path) -> tuple[str | None, str | None]:
    files = (output, output.with_suffix(".eval.jsonl"))
    return tuple(path.read_text() if path.exists() else None for path in files)  # type: ignore[return-value]


def ended_at(number: int, end: Callable[[], None], work: Callable[[], None]) -> bool:
    """Do `work` with the given flush replaced by `end`; tell whether it came to that flush."""
    flush, num_calls = publish.fsync_path, iter(range(1_000))
    reached = []

    def fsync(path: Path) -> None:
        if next(num_calls) == number:
            reached.append(path)
            end()
        flush(path)

    publish.fsync_path = fsync
    try:
        work()
    except LlmloraError:
        pass
    finally:
        publish.fsync_path = flush
    return bool(reached)


def fail() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def killed(number: int, work: Callable[[], None]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            ended_at(number, lambda: os._exit(KILLED), work)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == KILLED


@pytest.mark.parametrize("is_kill", [True, False])
@pytest.mark.parametrize("before", ["both", "no held-out rows", "nothing"])
def test_no_end_leaves_a_mixture(data: Path, tmp_path: Path, is_kill: bool, before: str) -> None:
    output = tmp_path / "new" / "out.jsonl"
    convert(data, output, NEW)
    new = contents(output)
    seen = set()
    for number in range(50):
        output = tmp_path / str(number) / "out.jsonl"
        output.parent.mkdir()
        if before == "both":
            convert(data, output, OLD)
        elif before == "no held-out rows":
            convert_dataset(data, output)
        old = contents(output)
        again = lambda output=output: convert(data, output, NEW)  # noqa: E731
        was_ended = killed(number, again) if is_kill else ended_at(number, fail, again)
        left = contents(output)
        assert left in (old, new) or (is_kill and left[0] is None), f"flush {number}"
        seen.add(left)
        if not is_kill:
            assert not was_ended or left == old
            assert not [path for path in output.parent.iterdir() if path.name.startswith(TEMPORARY_PREFIX)]
        again()
        assert contents(output) == new
        assert not [path for path in output.parent.iterdir() if path.name.startswith(TEMPORARY_PREFIX)]
        if not was_ended:
            break
    assert number >= 4 and {old, new} <= seen


def test_a_file_that_came_in_between_is_kept(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "out.jsonl"
    link = os.link

    def other_first(source: Path, target: Path) -> None:
        if target == output:
            output.write_text("mine")
        link(source, target)

    monkeypatch.setattr(publish.os, "link", other_first)
    with pytest.raises(LlmloraError) as caught:
        convert_dataset(data, output, split=0.25)
    assert (caught.value.code, contents(output)) == ("output_exists", ("mine", None))
