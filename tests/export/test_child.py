"""A process of its own for native code: results and typed errors come back, aborts and hangs become errors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from multiprocessing import spawn
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from export import native_works
from llmlora.core.errors import ModelFileError, RunError, Stopped
from llmlora.export import verify
from llmlora.export.check import Check, passed
from llmlora.export.child import run_apart
from llmlora.export.merge import trained_source
from llmlora.export.reference import Reference
from llmlora.export.verify import Verifier
from llmlora.gguf.tokenizer import TokenizerFiles
from llmlora.gguf.writer import write_gguf
from llmlora.inference.trained_job import find_trained
from llmlora.prepare.asking import chat_format
from llmlora.prepare.template import load_template
from tiny_jobs import MakeJob


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for_end(pid: int) -> None:
    deadline = time.monotonic() + 20
    while is_alive(pid):
        assert time.monotonic() < deadline, "the child outlived its starter"
        time.sleep(0.05)


def test_a_result_comes_back_from_another_process():
    values = np.arange(3)
    found = run_apart(native_works.answer, "日本語", values, seconds=60)
    assert found["pid"] != os.getpid()
    assert found["words"][0] == "日本語"
    assert np.array_equal(found["words"][1], values)


def test_the_checks_load_no_torch_there():
    found = run_apart(native_works.answer, verify.run_checks, verify.measure_distributions, seconds=60)
    assert found["words"] == (verify.run_checks, verify.measure_distributions)
    assert not found["has_torch"]


@pytest.mark.timeout(60)
def test_a_child_that_dies_at_its_start_does_not_block_however_much_it_was_to_get():
    usual = spawn.get_executable()
    spawn.set_executable("/bin/false")
    try:
        with pytest.raises(RunError) as caught:
            run_apart(native_works.answer, "words", np.zeros(32 << 20, np.uint8), seconds=20)
    finally:
        spawn.set_executable(usual)
    assert caught.value.code == "native_abort"


@pytest.mark.timeout(60)
def test_a_child_that_hangs_at_its_start_ends_at_the_deadline(tmp_path: Path):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 300\n", encoding="ascii")
    program.chmod(0o700)
    usual = spawn.get_executable()
    spawn.set_executable(str(program))
    try:
        with pytest.raises(RunError) as caught:
            run_apart(native_works.answer, "words", seconds=3)
    finally:
        spawn.set_executable(usual)
    assert (caught.value.code, caught.value.params) == ("native_timeout", {"seconds": 3})
    wait_for_end(int((tmp_path / "pid").read_text()))


def test_a_typed_error_keeps_its_class_code_and_parameters():
    with pytest.raises(ModelFileError) as caught:
        run_apart(native_works.refuse, Path("a.gguf"), seconds=60)
    assert (caught.value.code, caught.value.params["detail"]) == ("gguf_load_failed", "no")


@pytest.mark.parametrize(
    ("work", "arguments", "how", "detail"),
    [
        (native_works.abort, (), "SIGABRT", "file.cpp:7: GGML_ASSERT(x) failed"),
        (native_works.end, (signal.SIGSEGV,), "SIGSEGV", ""),
        (native_works.end, (signal.SIGKILL,), "SIGKILL", ""),
        (native_works.crash, (), "exit 1", "ZeroDivisionError: by zero"),
    ],
)
def test_a_death_says_how_and_the_last_words(work, arguments, how: str, detail: str):
    with pytest.raises(RunError) as caught:
        run_apart(work, *arguments, seconds=60)
    assert caught.value.code == "native_abort"
    assert caught.value.params == {"how": how, "detail": detail}


def test_a_hang_ends_at_the_deadline_and_leaves_no_process(tmp_path: Path):
    with pytest.raises(RunError) as caught:
        run_apart(native_works.hang, tmp_path / "x", seconds=4)
    assert caught.value.code == "native_timeout"
    wait_for_end(int((tmp_path / "hanging").read_text()))


def test_a_stop_while_waiting_ends_the_child(tmp_path: Path):
    def stop() -> None:
        if (tmp_path / "hanging").exists():
            raise Stopped("interrupted")

    with pytest.raises(Stopped):
        run_apart(native_works.hang, tmp_path / "x", seconds=60, on_wait=stop)
    wait_for_end(int((tmp_path / "hanging").read_text()))


def test_the_child_of_a_killed_process_ends_too(tmp_path: Path):
    program = (
        "import sys; from pathlib import Path; from export import native_works\n"
        "from llmlora.export.child import run_apart\n"
        "if __name__ == '__main__': run_apart(native_works.hang, Path(sys.argv[1]), seconds=60)"
    )
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    starter = subprocess.Popen([sys.executable, str(tmp_path / "program.py"), str(tmp_path / "x")], env=environment)
    deadline = time.monotonic() + 60
    while not (tmp_path / "hanging").exists() or not (tmp_path / "hanging").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    starter.kill()
    starter.wait()
    wait_for_end(int((tmp_path / "hanging").read_text()))


@pytest.fixture
def verifier(make_job: MakeJob, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Verifier:
    """Return a verifier whose file checks pass: what llama.cpp does with the file is what is tested."""
    trained = find_trained(make_job("llama", {}))
    source, config = trained_source(trained)
    chat = chat_format(load_template(trained.result_dir))
    write_gguf(source, config, trained.result_dir, tmp_path / "x", "F16", "llmlora-test", chat=chat)
    monkeypatch.setattr(verify, "check_file", lambda *_: passed("file", {}))
    reference = Reference([], [], [], np.zeros((0, 0)), (), False, 2, {}, "", "")
    return Verifier(trained, reference)


@pytest.mark.parametrize(("work", "cause"), [("abort", "native_abort"), ("hang", "native_timeout")])
def test_a_file_that_ends_or_hangs_llama_cpp_is_a_failed_check(
    work: str, cause: str, verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(verify, "run_checks", getattr(native_works, work))
    monkeypatch.setattr(verify, "BASE_SECONDS", 4.0)
    checks = verifier.check_model(tmp_path / "x", "F16")
    assert [(check.check, check.ok) for check in checks] == [
        ("file", True), ("tensors", True), ("update", True), ("engine", False),
    ]  # fmt: skip
    assert checks[-1].cause == cause
    assert ("GGML_ASSERT" in checks[-1].detail) == (work == "abort")


def test_tensors_are_compared_while_llama_cpp_runs_the_file(
    verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    running: list[int] = []

    def compared(*ignored: Any) -> list[Check]:
        running.append(len(multiprocessing.active_children()))
        return []

    monkeypatch.setattr(verify, "run_checks", native_works.hang)
    monkeypatch.setattr(verify, "check_tensors", compared)
    monkeypatch.setattr(verify, "BASE_SECONDS", 0.1)
    verifier.check_model(tmp_path / "x", "F16")
    assert running == [1]


def test_what_all_files_share_is_read_once(verifier: Verifier, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read, folders = TokenizerFiles.read, []

    def counted(folder: Path, chat_template: str | None = None) -> TokenizerFiles:
        folders.append(folder)
        return read(folder, chat_template)

    monkeypatch.setattr(TokenizerFiles, "read", counted)
    verifier.check_content(tmp_path / "x", "F16")
    num_reads = len(folders)
    verifier.check_content(tmp_path / "x", "F16")
    assert 1 <= num_reads == len(folders)


def test_llama_cpps_own_abort_is_caught(verifier: Verifier, tmp_path: Path):
    """Two equal tokens end the process inside llama.cpp; only our reader's check keeps such a file from it."""
    data = (tmp_path / "x").read_bytes()
    tokens = [b"\x01\0\0\0\0\0\0\0" + bytes([letter]) for letter in b"abc"]
    (tmp_path / "x").write_bytes(data.replace(b"".join(tokens), tokens[0] * 2 + tokens[2]))
    assert (tmp_path / "x").read_bytes() != data
    check = verifier.check_model(tmp_path / "x", "F16")[-1]
    assert (check.check, check.cause) == ("engine", "native_abort")
    assert "SIGABRT" in check.detail
    assert "token_to_id" in check.detail
