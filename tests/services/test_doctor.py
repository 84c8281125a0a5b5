"""The doctor tells the truth about a machine, and what to do next, without loading or changing anything."""

from __future__ import annotations

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from catalog.model_files import model_folder
from fake_ollama.server import FakeOllama
from llmlora.catalog.hub_identity import HubIdentity
from llmlora.cli.main import run
from llmlora.core import writable
from llmlora.core.locale import set_language, translate
from llmlora.core.machine import container_limit
from llmlora.services import doctor as doctor_module
from llmlora.services.doctor import cpu_flags, doctor, newest_device_plan, nvidia_gpus
from llmlora.services.workspace_lock import workspace_lock
from unprivileged import open_folder, unprivileged

GIB = 2**30


def find(report: dict[str, Any], check_id: str) -> dict[str, Any]:
    return next(check for check in report["checks"] if check["id"] == check_id)


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Make the doctor believe that a package is not installed."""
    real = doctor_module.package_version

    def hide(hidden: str) -> None:
        monkeypatch.setattr(doctor_module, "package_version", lambda name: None if name == hidden else real(name))

    return hide


def test_report_has_the_agreed_shape(home: Path) -> None:
    report = doctor()
    assert set(report) == {"ok", "version", "checks"}
    ids = [check["id"] for check in report["checks"]]
    assert len(ids) == len(set(ids))
    for check in report["checks"]:
        assert set(check) == {"id", "status", "message", "hint", "data"}
        assert check["status"] in {"ok", "warning", "error"}
        assert check["message"] and "{" not in check["message"] and not check["message"].startswith("doctor.")
        assert check["hint"] or check["status"] == "ok"
    json.dumps(report, allow_nan=False)


def test_ok_means_no_check_failed(home: Path, without: Callable[[str], None]) -> None:
    report = doctor()
    assert report["ok"] == all(check["status"] != "error" for check in report["checks"])
    without("peft")
    assert not doctor()["ok"]


def test_missing_training_package_is_named_with_its_command(home: Path, without: Callable[[str], None]) -> None:
    without("peft")
    check = find(doctor(), "train_packages")
    assert check["status"] == "error"
    assert "peft" in check["message"]
    assert "pip install 'llmlora[train]'" in check["hint"]


def test_missing_llama_cpp_is_its_own_finding(home: Path, without: Callable[[str], None]) -> None:
    without("xllamacpp")
    assert find(doctor(), "llama_cpp")["status"] == "error"


def test_versions_are_the_installed_ones(home: Path) -> None:
    import torch

    assert find(doctor(), "train_packages")["data"]["versions"]["torch"] == torch.__version__


def test_missing_tracker_is_no_fault(home: Path, without: Callable[[str], None]) -> None:
    without("wandb")
    check = find(doctor(), "tracker_wandb")
    assert (check["status"], check["hint"]) == ("ok", "pip install wandb")


@pytest.mark.parametrize(("free", "status"), [(GIB // 2, "error"), (2 * GIB, "warning"), (50 * GIB, "ok")])
def test_disk_is_judged(home: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: str) -> None:
    monkeypatch.setattr(doctor_module, "free_bytes", lambda path: free)
    assert find(doctor(), "disk")["status"] == status


@pytest.mark.parametrize(("available", "status"), [(GIB // 2, "error"), (2 * GIB, "warning"), (8 * GIB, "ok")])
def test_memory_is_judged(home: Path, monkeypatch: pytest.MonkeyPatch, available: int, status: str) -> None:
    real = psutil.virtual_memory()
    monkeypatch.setattr(doctor_module, "container_limit", lambda: None)
    fake = real._replace(total=16 * GIB, available=available)
    monkeypatch.setattr(doctor_module.psutil, "virtual_memory", lambda: fake)
    assert find(doctor(), "memory")["status"] == status


def test_memory_of_a_container_is_its_limit(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(f"{2 * GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB + GIB // 2}\n")
    limit = container_limit(tmp_path)
    assert limit == (2 * GIB, GIB + GIB // 2)
    monkeypatch.setattr(doctor_module, "container_limit", lambda: limit)
    check = find(doctor(), "memory")
    assert check["data"]["available_bytes"] <= GIB // 2
    assert check["status"] == "error"


@pytest.mark.parametrize("text", ["max\n", "", "many\n"])
def test_no_container_limit(tmp_path: Path, text: str) -> None:
    (tmp_path / "memory.max").write_text(text)
    (tmp_path / "memory.current").write_text("5\n")
    assert container_limit(tmp_path) is None
    assert container_limit(tmp_path / "absent") is None


def test_cpu_flags_are_read_by_whole_words(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text("processor : 0\nflags\t\t: fpu avx avx2 avx512_bf16 amx_bf16x\n")
    assert cpu_flags(info) == ["avx2", "avx512_bf16"]
    info.write_text("Features\t: fp asimd bf16\n")
    assert cpu_flags(info) == ["asimd", "bf16"]
    assert cpu_flags(tmp_path / "absent") == []


def test_workspace_that_cannot_be_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(writable.tempfile, "TemporaryFile", refuse)
    check = find(doctor(), "workspace")
    assert check["status"] == "error"
    assert "permission denied" in check["message"]
    assert "LLMLORA_HOME" in check["hint"]


def test_nothing_is_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMLORA_HOME", str(home / "not" / "yet"))
    assert find(doctor(), "workspace")["status"] == "ok"
    assert not list(home.iterdir())


def test_gpu_tool_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'Test GPU 9000, 24564 MiB'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert nvidia_gpus() == ["Test GPU 9000, 24564 MiB"]
    tool.write_text("#!/bin/sh\nexit 9\n")
    assert nvidia_gpus() == []
    monkeypatch.setenv("PATH", "/nowhere")
    assert nvidia_gpus() == []


def test_gpu_that_torch_cannot_use_is_a_warning(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "nvidia_gpus", lambda: ["Test GPU 9000, 24564 MiB"])
    monkeypatch.setattr(doctor_module, "package_version", lambda name: "2.13.0+cpu")
    check = find(doctor(), "gpu")
    assert check["status"] == "warning"
    assert "Test GPU 9000 25.8 GB" in check["message"]
    assert "pip install torch" in check["hint"]


def test_newest_measured_number_format_is_shown(home: Path) -> None:
    speeds = {"float32": 180.0, "bfloat16": 420.0}
    for index, dtype in enumerate(["float32", "bfloat16"]):
        record = home / "jobs" / f"job{index}" / "runs" / "1" / "environment.json"
        record.parent.mkdir(parents=True)
        record.write_text(
            json.dumps({"plan": {"dtype": dtype, "reason": "engine.dtype.cpu_" + dtype, "gflops": speeds}})
        )
        os.utime(record, (1000 + index, 1000 + index))
    broken = home / "jobs" / "job9" / "runs" / "1" / "environment.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    plan = newest_device_plan(home / "jobs")
    assert plan is not None and plan["dtype"] == "bfloat16"
    message = find(doctor(), "dtype")["message"]
    assert "bfloat16" in message
    assert translate("engine.dtype.cpu_bfloat16") in message


def test_missing_and_damaged_bundled_models_are_errors(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "bundled_models", dict)
    assert find(doctor(), "base_model")["status"] == "error"
    sound, damaged = model_folder(tmp_path / "sound"), model_folder(tmp_path / "damaged")
    monkeypatch.setattr(doctor_module, "bundled_models", lambda: {"sound": sound})
    assert find(doctor(), "base_model")["data"]["bundled"] == ["sound"]
    (damaged / "model.safetensors").write_bytes(b"version https://example.com/spec/v1\n")
    monkeypatch.setattr(doctor_module, "bundled_models", lambda: {"sound": sound, "damaged": damaged})
    check = find(doctor(), "base_model")
    assert (check["status"], check["data"]["bundled"]) == ("error", ["sound"])
    assert str(damaged) in check["message"]
    assert "reinstall" in check["hint"]


@pytest.mark.parametrize("place", ["closed", "closed/deeper/still"])
def test_a_workspace_that_may_not_be_entered_is_a_finding_and_no_failure(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_folder() as folder:
        (folder / "closed").mkdir(mode=0)
        monkeypatch.setenv("LLMLORA_HOME", str(folder / place))
        with unprivileged():
            report = doctor()
        check = find(report, "workspace")
        assert (check["status"], "permission denied" in check["message"]) == ("error", True)
        assert "LLMLORA_HOME" in check["hint"]
        assert not report["ok"]


@pytest.mark.parametrize("command", [["train", "--model", "nano", "--data"], ["dataset", "preview", "--model", "nano"]])
def test_work_in_a_closed_workspace_is_refused_with_the_way_out(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_folder() as folder:
        (folder / "closed").mkdir(mode=0)
        data = folder / "data.jsonl"
        data.write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
        monkeypatch.setenv("LLMLORA_HOME", str(folder / "closed"))
        with unprivileged():
            assert run([*command, str(data), "--lang", "en"]) == 1
    shown = capsys.readouterr().err
    assert str(folder / "closed") in shown
    assert "permission denied" in shown
    assert "export LLMLORA_HOME=" in shown
    assert "unexpected" not in shown


@pytest.mark.parametrize("content", ["a file", None])
def test_a_workspace_that_is_a_file_or_below_one(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.setenv("LLMLORA_HOME", str(tmp_path / "file" / ("" if content else "below")))
    check = find(doctor(), "workspace")
    assert (check["status"], "not a folder" in check["message"]) == ("error", True)


def test_old_python_is_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module, "OLDEST_PYTHON", (sys.version_info.major + 1, 0))
    assert find(doctor(), "python")["status"] == "error"


def test_windows_is_sent_to_wsl(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module.platform, "system", lambda: "Windows")
    check = find(doctor(), "platform")
    assert check["status"] == "error"
    assert "WSL2" in check["hint"]


def test_cpu_without_avx2_is_a_warning(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor_module.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(doctor_module.platform, "system", lambda: "Linux")
    monkeypatch.setattr(doctor_module, "cpu_flags", lambda: ["sse2"])
    assert find(doctor(), "cpu")["status"] == "warning"


def test_messages_follow_the_language(home: Path) -> None:
    set_language("ja")
    assert "ディスク" in find(doctor(), "disk")["message"]
    set_language("en")
    assert "Disk" in find(doctor(), "disk")["message"]


def test_command_prints_one_json_document(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert next(iter(document)) == "schema"
    assert document["schema"] == "llmlora.doctor/1"
    assert document["checks"]


def test_command_shows_marks_and_hints(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--lang", "ja"]) == 0
    shown = capsys.readouterr().out
    assert "✓ Python" in shown
    assert "ディスク" in shown
    assert "llmlora" in shown.rstrip().splitlines()[-1]


@pytest.mark.parametrize(("version", "finding"), [("0.34.0", "takes adapters"), ("0.40.0", "no adapters")])
def test_the_ollama_that_answers_is_named_with_what_it_takes(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, finding: str
) -> None:
    with FakeOllama(tmp_path / "store", version) as server:
        monkeypatch.setenv("OLLAMA_HOST", server.url)
        check = find(doctor(), "ollama")
    assert finding in check["message"]
    assert (check["data"]["version"], check["data"]["url"]) == (version, server.url)


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "http://[::1", "http://:0:0"])
def test_no_ollama_is_no_fault(home: Path, monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("OLLAMA_HOST", address)
    check = find(doctor(), "ollama")
    assert (check["status"], address in check["message"]) == ("ok", True)
    assert "ollama serve" in check["hint"]


@pytest.mark.parametrize(("state", "status"), [("anonymous", "ok"), ("known", "ok"), ("refused", "warning")])
def test_the_hub_says_whose_token_it_is(home: Path, monkeypatch: pytest.MonkeyPatch, state: Any, status: str) -> None:
    monkeypatch.setattr(doctor_module, "hub_identity", lambda: HubIdentity(state, "https://hub.example", "hanako"))
    check = find(doctor(), "hub")
    assert check["status"] == status
    assert ("hanako" in check["message"]) == (state == "known")
    assert ("https://hub.example/settings/tokens" in check["hint"]) == (state != "known")


def test_a_port_is_free_taken_or_our_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("LLMLORA_PORT", str(port))
        taken = find(doctor(), "port")
        with workspace_lock() as lock:
            lock.tell(f"http://127.0.0.1:{port}")
            ours = find(doctor(), "port")
    free = find(doctor(), "port")
    assert (taken["status"], taken["data"]["code"], "--port" in taken["hint"]) == ("warning", "port_taken", True)
    assert (ours["status"], ours["data"]) == ("ok", {"url": f"http://127.0.0.1:{port}"})
    assert (free["status"], free["data"]["port"]) == ("ok", port)


def test_a_port_that_is_no_number_is_a_finding(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMLORA_PORT", "web")
    check = find(doctor(), "port")
    assert (check["status"], "LLMLORA_PORT" in check["message"]) == ("warning", True)
