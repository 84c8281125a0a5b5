"""Verifying a folder again: what it needs to be there, whose job it is, and what its document says."""

from __future__ import annotations

import errno
import fcntl
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from llmlora.core.errors import LlmloraError, ModelFileError, RunError, VerificationFailed
from llmlora.core.layout import verified_file
from llmlora.core.publish import read_json, write_json
from llmlora.export import verify
from llmlora.export.check import what_failed
from llmlora.export.modelfile import ModelfileContent
from llmlora.export.pipeline import ExportRequest, export_model
from llmlora.export.verify import engine_failure, finish_report, verify_export
from tiny_jobs import tiny_job
from unprivileged import open_folder, unprivileged

SMALL = {"hidden_size": 64, "intermediate_size": 64, "num_hidden_layers": 1}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a job in it and its verified export beside."""
    folder = tmp_path_factory.mktemp("verify")
    job = tiny_job("llama", folder, {}, **SMALL)
    (folder / "out").mkdir()
    assert export_model(ExportRequest(job, folder / "out", ("F16", "Q8_0"), adapter=True))["verify"]["ok"]
    return folder


@pytest.fixture
def folder(exported: Path, tmp_path: Path) -> Path:
    """Return a copy that may be damaged; its export names the copied job."""
    copy = shutil.copytree(exported, tmp_path / "copy")
    meta = read_json(copy / "out" / "meta.json")
    write_json(copy / "out" / "meta.json", {**meta, "job_dir": str(copy / "job")})
    return copy


def flip(path: Path, position: int) -> None:
    data = bytearray(path.read_bytes())
    data[position] ^= 0x40
    path.write_bytes(data)


def failures(folder: Path) -> dict[str, list[tuple[str, str]]]:
    with pytest.raises(VerificationFailed):
        verify_export(folder / "out", folder / "base")
    report = read_json(folder / "out" / "verify.json")
    assert not report["ok"]
    return {
        entry["file"]: [(check["check"], check["cause"]) for check in entry["checks"] if not check["ok"]]
        for entry in report["files"]
    }


def test_every_kind_of_damage_is_named_file_by_file(folder: Path):
    out = folder / "out"
    flip(out / "model-Q8_0.gguf", 9)
    flip(out / "model-F16.gguf", -4000)
    (out / "adapter.gguf").unlink()
    found = failures(folder)
    assert found["model-Q8_0.gguf"] == [("file", "header")]
    assert found["model-F16.gguf"][0] == ("tensors", "values")
    assert found["adapter.gguf"] == [("file", "missing_file")]


def test_a_damaged_adapter_file_fails_in_use(folder: Path):
    path = folder / "out" / "adapter.gguf"
    data = path.read_bytes()
    path.write_bytes(data[:-2000] + data[-1000:] + data[-2000:-1000])
    assert failures(folder)["adapter.gguf"] == [("logprobs", "adapter")]
    path.write_bytes(data[:-64])
    assert failures(folder)["adapter.gguf"] == [("engine", "engine")]


def gone(folder: Path) -> None:
    shutil.rmtree(folder / "job")


def another_job(folder: Path) -> None:
    config = read_json(folder / "job" / "config.json")
    write_json(folder / "job" / "config.json", {**config, "id": "01HZZZZZZZZZZZZZZZZZZZZZZZ"})


def no_meta(folder: Path) -> None:
    (folder / "out" / "meta.json").unlink()


def half_a_meta(folder: Path) -> None:
    (folder / "out" / "meta.json").write_text('{"files"', encoding="utf-8")


def unknown_quantization(folder: Path) -> None:
    path = folder / "out" / "meta.json"
    path.write_text(path.read_text(encoding="utf-8").replace('"quantization": "Q8_0"', '"quantization": "Q8_X"'))


def changed_base(folder: Path) -> None:
    config = read_json(folder / "base" / "config.json")
    write_json(folder / "base" / "config.json", {**config, "rms_norm_eps": 1e-3})


def no_adapter(folder: Path) -> None:
    shutil.rmtree(folder / "job" / "adapter")


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (gone, "export_job_gone"),
        (another_job, "export_job_gone"),
        (no_meta, "export_not_finished"),
        (half_a_meta, "damaged_export"),
        (unknown_quantization, "damaged_export"),
        (changed_base, "export_base_changed"),
        (no_adapter, "job_not_finished"),
    ],
)
def test_what_verification_needs_is_asked_for_by_name(damage: Callable[[Path], None], code: str, folder: Path):
    before = (folder / "out" / "verify.json").read_bytes()
    damage(folder)
    with pytest.raises(LlmloraError) as caught:
        verify_export(folder / "out", folder / "base")
    assert caught.value.code == code
    assert (folder / "out" / "verify.json").read_bytes() == before


def test_a_modelfile_that_says_something_else_fails_verification(folder: Path):
    path = folder / "out" / "Modelfile"
    text = path.read_text(encoding="utf-8")
    assert "temperature 0\n" in text
    path.write_text(text.replace("temperature 0", "temperature 1.9"), encoding="utf-8")
    with pytest.raises(VerificationFailed) as caught:
        verify_export(folder / "out", folder / "base")
    assert (caught.value.params["file"], caught.value.params["check"]) == ("Modelfile", "modelfile")
    report = read_json(folder / "out" / "verify.json")
    assert (report["ok"], report["modelfile"]["ok"]) == (False, False)
    assert all(entry["ok"] for entry in report["files"])


def test_a_moved_folder_that_may_not_be_written_to_is_verified_while_another_holds_its_lock(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    out, scratch = (folder / "out").rename(folder / "moved"), tmp_path / "scratch"
    scratch.mkdir()

    def refused(path: Path, value: Any) -> None:
        if path.parent == out:
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        write_json(path, value)

    monkeypatch.setattr(verify, "write_json", refused)
    with (out / "worker.lock").open("a+") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        before = {path.name: path.stat().st_mtime_ns for path in (out, *out.iterdir())}
        report = verify_export(out, folder / "base", work_dir=scratch)
        assert {path.name: path.stat().st_mtime_ns for path in (out, *out.iterdir())} == before
    assert report["ok"]
    saved = Path(report["saved_to"])
    assert saved == verified_file(out)
    assert read_json(saved)["files"] == report["files"]
    assert not any(scratch.iterdir())


def test_a_result_that_may_not_be_saved_beside_the_files_goes_to_the_workspace(monkeypatch: pytest.MonkeyPatch):
    with open_folder() as place:
        (place / "home").mkdir()
        (place / "home").chmod(0o777)
        (place / "Modelfile").write_text("FROM ./a.gguf\n", encoding="utf-8")
        monkeypatch.setenv("LLMLORA_HOME", str(place / "home"))
        report: dict[str, Any] = {"files": []}
        with unprivileged():
            saved = finish_report(report, place, ModelfileContent("a.gguf", None, None, {}))
        assert saved == verified_file(place)
        assert read_json(saved) == report
        assert report["ok"]
        assert not (place / "verify.json").exists()


def test_progress_names_the_reference_and_each_file(folder: Path):
    seen: list[tuple[str, int, int]] = []
    report = verify_export(folder / "out", folder / "base", lambda *event: seen.append(event))
    assert report["ok"]
    assert seen[0] == ("reference", 0, 1)
    assert [done for phase, done, _ in seen if phase == "verify"][:: len(seen)] == [0]
    assert ("verify", 3, 3) in seen
    assert not list((folder / "out").glob(".tmp-*"))


def test_the_document_says_on_how_much_of_the_data_it_rests(folder: Path):
    def counted() -> dict[str, Any]:
        asked = read_json(folder / "out" / "verify.json")["reference"]
        return {name: asked[name] for name in ("num_samples", "num_taught", "data_problem")}

    assert counted() == {"num_samples": 1, "num_taught": 1, "data_problem": None}
    data = Path(read_json(folder / "job" / "config.json")["data"]["path"])
    kept = data.read_bytes()
    data.unlink()
    try:
        with suppress(VerificationFailed):  # asked other questions, this random model may talk without an end
            verify_export(folder / "out", folder / "base")
    finally:
        data.write_bytes(kept)
    assert counted() == {"num_samples": 0, "num_taught": 0, "data_problem": "data_gone"}


@pytest.mark.parametrize(
    ("error", "cause", "detail"),
    [
        (ModelFileError("gguf_load_failed", path="/x", detail="no such key"), "engine", "detail=no such key"),
        (RunError("native_abort", how="SIGABRT", detail=""), "native_abort", "how=SIGABRT"),
        (RunError("native_timeout", seconds=5), "native_timeout", "seconds=5"),
        (ModelFileError("gguf_unreadable", path="/x"), "engine", "gguf_unreadable"),
    ],
)
def test_what_llama_cpp_could_not_run_is_a_check_with_the_reason(error: LlmloraError, cause: str, detail: str):
    check = engine_failure(error)
    assert (check.check, check.ok, check.cause, check.detail) == ("engine", False, cause, detail)
    assert what_failed(error) == detail
