"""Export and merge ended at every flush to the disk, by a full disk and by kill -9: whole files, and it goes on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmlora.core import publish
from llmlora.core.errors import DiskFull
from llmlora.core.layout import TEMPORARY_PREFIX
from llmlora.core.publish import sha256_file
from llmlora.export import pipeline
from llmlora.export.merge import merge_model
from llmlora.export.pipeline import ExportRequest, export_model
from tiny_jobs import tiny_job

TYPES = ("F16", "Q8_0")
SMALL = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1, "max_position_embeddings": 64}
FILES = {"model-F16.gguf", "model-Q8_0.gguf", "adapter.gguf"}
KILLED = 9


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_job("llama", tmp_path_factory.mktemp("crash"), {}, **SMALL)


@pytest.fixture(autouse=True)
def no_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave verification out: what is tested is how files come to be."""

    def report(output: Path, trained: Any, files: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        entries = [
            {"file": name, "quantization": entry["quantization"], "ok": True, "checks": []}
            | {"verdict": "verified", "facts": None}
            for name, entry in files.items()
        ]
        return {"files": entries, "reference": {"turn_end": "</s>"}}

    monkeypatch.setattr(pipeline, "verify_files", report)


def export(job: Path, output: Path) -> dict[str, Any]:
    output.mkdir(exist_ok=True)
    return export_model(ExportRequest(job, output, TYPES, adapter=True))


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: sha256_file(path) for path in folder.glob("*.gguf")}


def num_flushes(monkeypatch: pytest.MonkeyPatch, work: Callable[[], object]) -> int:
    calls: list[Path] = []
    flush = publish.fsync_path
    with monkeypatch.context() as patch:
        patch.setattr(publish, "fsync_path", lambda path: (calls.append(path), flush(path))[1])
        work()
    return len(calls)


def failing(number: int, end: Callable[[], None]) -> Callable[[Path], None]:
    """Return a flush that calls `end` instead of doing its work the given time it is called."""
    flush, calls = publish.fsync_path, iter(range(1_000_000))

    def fsync(path: Path) -> None:
        if next(calls) == number:
            end()
        flush(path)

    return fsync


def full_disk() -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def killed(work: Callable[[], object]) -> int:
    """Run `work` in a fork of this process and return how that ended."""
    child = os.fork()
    if child == 0:
        try:
            work()
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def points(count: int) -> Iterator[int]:
    assert count > 10
    return iter(range(count))


def check_goes_on(job: Path, output: Path, right: dict[str, str]) -> None:
    there = hashes(output)
    assert there.items() <= right.items()  # each file is whole or absent
    result = export(job, output)
    assert hashes(output) == right
    reused = {entry["file"] for entry in result["files"] if entry["reused"]}
    assert reused <= there.keys()
    assert not list(output.glob(f"{TEMPORARY_PREFIX}*"))


def test_a_full_disk_at_any_flush_loses_nothing(job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    count = num_flushes(monkeypatch, lambda: export(job, tmp_path / "right"))
    right = hashes(tmp_path / "right")
    assert right.keys() == FILES
    for number in points(count):
        output = tmp_path / f"full-{number}"
        with monkeypatch.context() as patch:
            patch.setattr(publish, "fsync_path", failing(number, full_disk))
            with pytest.raises(DiskFull) as caught:
                export(job, output)
        assert caught.value.params["free_bytes"] > 0
        assert not list(output.glob(f"{TEMPORARY_PREFIX}*"))
        check_goes_on(job, output, right)


def test_a_kill_at_any_flush_loses_nothing(job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    count = num_flushes(monkeypatch, lambda: export(job, tmp_path / "right"))
    right = hashes(tmp_path / "right")
    for number in points(count):
        output = tmp_path / f"killed-{number}"
        with monkeypatch.context() as patch:
            patch.setattr(publish, "fsync_path", failing(number, lambda: os._exit(KILLED)))
            assert killed(lambda output=output: export(job, output)) == KILLED
        check_goes_on(job, output, right)


@pytest.mark.parametrize("ending", ["full disk", "kill"])
def test_a_merge_is_there_whole_or_not_at_all(ending: str, job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    count = num_flushes(monkeypatch, lambda: merge_model(job, tmp_path / "right"))
    right = sha256_file(tmp_path / "right" / "model.safetensors")
    for number in points(count):
        output = tmp_path / str(number) / "out"
        with monkeypatch.context() as patch:
            if ending == "kill":
                patch.setattr(publish, "fsync_path", failing(number, lambda: os._exit(KILLED)))
                assert killed(lambda output=output: merge_model(job, output)) == KILLED
            else:
                patch.setattr(publish, "fsync_path", failing(number, full_disk))
                with pytest.raises(DiskFull):
                    merge_model(job, output)
        if not output.exists():
            merge_model(job, output)
        assert sha256_file(output / "model.safetensors") == right
        assert publish.read_manifest(output) is not None


def test_a_damaged_file_is_written_again_and_the_others_are_kept(job: Path, tmp_path: Path):
    output = tmp_path / "out"
    export(job, output)
    right = hashes(output)
    data = bytearray((output / "model-Q8_0.gguf").read_bytes())
    data[-9] ^= 1
    (output / "model-Q8_0.gguf").write_bytes(data)
    result = export(job, output)
    assert hashes(output) == right
    assert {entry["file"] for entry in result["files"] if not entry["reused"]} == {"model-Q8_0.gguf"}


@pytest.mark.parametrize("text", ['{"files"', "[]", '{"files": [1]}', "\x00"])
def test_a_damaged_record_of_an_earlier_run_is_written_again(text: str, job: Path, tmp_path: Path):
    output = tmp_path / "out"
    export(job, output)
    right = hashes(output)
    (output / "meta.json").write_text(text, encoding="utf-8")
    result = export(job, output)
    assert hashes(output) == right
    assert not any(entry["reused"] for entry in result["files"])


def test_what_a_killed_verification_left_is_removed(job: Path, tmp_path: Path):
    left = tmp_path / "out" / f"{TEMPORARY_PREFIX}twin"
    left.mkdir(parents=True)
    (left / "float32.gguf").write_bytes(b"large")
    export(job, tmp_path / "out")
    assert not left.exists()


def test_too_little_room_is_told_with_numbers_before_anything_is_written(
    job: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    planned: dict[str, int] = {}
    output = tmp_path / "out"
    output.mkdir()
    export_model(ExportRequest(job, output, TYPES, adapter=True), on_plan=planned.update)
    assert planned.keys() == FILES
    for name, size in planned.items():
        real = (output / name).stat().st_size
        assert real <= size < real + 150_000  # the header is guessed from the tokenizer's file
    monkeypatch.setattr("llmlora.export.sizes.disk_room", lambda path: (sum(planned.values()), 1000))
    (tmp_path / "other").mkdir()
    with pytest.raises(DiskFull) as caught:
        export_model(ExportRequest(job, tmp_path / "other", TYPES, adapter=True))
    params = caught.value.params
    assert caught.value.code == "export_would_fill"
    assert params["needed_bytes"] > params["free_bytes"] - params["reserve_bytes"] == sum(planned.values()) - 1000
    assert not any((tmp_path / "other").iterdir())
    again: dict[str, int] = {}
    export_model(ExportRequest(job, output, TYPES, adapter=True), on_plan=again.update)
    assert again == {}  # nothing left to write, so nothing to refuse
