"""What this machine can do for llmlora: one check per question, each with its answer and the exact next step."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from llmlora import __version__
from llmlora.catalog.base_model import bundled_models
from llmlora.catalog.hub_identity import hub_identity
from llmlora.catalog.model_folder import read_model_folder
from llmlora.core.errors import LlmloraError, ModelFileError, OllamaUnavailable
from llmlora.core.layout import ENVIRONMENT_FILE, RUNS_DIR, home_dir, jobs_dir
from llmlora.core.locale import error_texts, has_text, translate
from llmlora.core.machine import container_limit, usable_cores
from llmlora.core.publish import free_bytes, read_json
from llmlora.core.server import read_server_settings
from llmlora.core.sizes import size_words
from llmlora.core.writable import write_refusal
from llmlora.ollama.client import OllamaClient, server_url
from llmlora.ollama.versions import abilities_of
from llmlora.services.http_server import listening_socket
from llmlora.services.packages import TRAIN_PACKAGES, outdated_packages, package_version
from llmlora.services.workspace_lock import running_server

Status = Literal["ok", "warning", "error"]

GB = 10**9
MIB = 2**20
MEMORY_WISHED, MEMORY_NEEDED = 4 * GB, 1 * GB
DISK_WISHED, DISK_NEEDED = 5 * GB, 1 * GB
OLDEST_PYTHON = (3, 11)
OLLAMA_SECONDS = 2.0
TRACKERS = ("tensorboard", "wandb", "mlflow")
# The instructions that decide how fast a CPU multiplies matrices, and in which number format.
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "bf16", "i8mm", "sve")


@dataclass(frozen=True)
class Check:
    """One question: `id` is stable, `message` answers it, `hint` says what to do (empty when nothing is to be done)."""

    id: str
    status: Status
    message: str
    hint: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def doctor() -> dict[str, Any]:
    """Return `{"ok", "version", "checks": [{"id", "status", "message", "hint", "data"}]}`.

    `ok` is false when a check has status `error`. Changes nothing, loads nothing heavy, and takes under a second where
    Ollama and the Hub answer (2 and 3 seconds are waited for them). The Hub is asked only who a token belongs to.
    """
    checks = [check() for check in CHECKS]
    checks += [_tracker(name) for name in TRACKERS]
    return {
        "ok": all(check.status != "error" for check in checks),
        "version": __version__,
        "checks": [asdict(check) for check in checks],
    }


def _check(check_id: str, finding: str, status: Status, data: dict[str, Any], **params: Any) -> Check:
    key = f"doctor.{check_id}.{finding}"
    values = {**data, **params}
    hint_key = f"doctor.{check_id}.{finding}_hint"
    hint = translate(hint_key, **values) if has_text(hint_key) else ""
    return Check(check_id, status, translate(key, **values), hint, data)


def _python() -> Check:
    data = {"version": platform.python_version(), "executable": sys.executable}
    if sys.version_info < OLDEST_PYTHON:
        return _check("python", "old", "error", data, oldest=".".join(map(str, OLDEST_PYTHON)))
    return _check("python", "ok", "ok", data)


def _platform() -> Check:
    data = {"system": platform.system(), "release": platform.release(), "machine": platform.machine()}
    if data["system"] == "Windows":
        return _check("platform", "windows", "error", data)
    return _check("platform", "ok", "ok", data)


def _cpu() -> Check:
    flags = cpu_flags()
    threads = usable_cores()
    data = {"threads": threads, "cores": psutil.cpu_count(logical=False) or threads, "flags": flags}
    shown = " ".join(flags) or "-"
    if platform.machine().lower() in ("x86_64", "amd64") and platform.system() == "Linux" and "avx2" not in flags:
        return _check("cpu", "slow", "warning", data, shown=shown)
    return _check("cpu", "ok", "ok", data, shown=shown)


def cpu_flags(path: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Return the CPU's instruction sets that matter here; empty where the system does not list them."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    line = next((text for text in lines if text.lower().startswith(("flags", "features"))), "")
    present = set(line.partition(":")[2].split())
    return [flag for flag in CPU_FLAGS if flag in present]


def _memory() -> Check:
    memory = psutil.virtual_memory()
    total, available = memory.total, memory.available
    limit = container_limit()
    if limit is not None:
        total = min(total, limit[0])
        available = min(available, max(0, limit[0] - limit[1]))
    data = {"total_bytes": total, "available_bytes": available}
    finding, status = _amount(available, MEMORY_WISHED, MEMORY_NEEDED)
    return _check("memory", finding, status, data, needed_bytes=MEMORY_NEEDED)


def _amount(value: int, wished: int, needed: int) -> tuple[str, Status]:
    if value < needed:
        return "short", "error"
    return ("tight", "warning") if value < wished else ("ok", "ok")


def _disk() -> Check:
    data: dict[str, Any] = {"path": str(home_dir()), "free_bytes": None}
    try:
        free = data["free_bytes"] = free_bytes(home_dir())
    except OSError as error:
        return _check("disk", "unknown", "warning", data, reason=error.strerror or str(error))
    finding, status = _amount(free, DISK_WISHED, DISK_NEEDED)
    return _check("disk", finding, status, data, needed_bytes=DISK_NEEDED)


def _workspace() -> Check:
    """Tell whether the workspace (or, before its first use, its parent) takes files; nothing is left behind."""
    folder = home_dir()
    data = {"path": str(folder), "exists": os.path.isdir(folder)}
    refusal = write_refusal(folder)
    if refusal is None:
        return _check("workspace", "ok", "ok", data)
    return _check("workspace", "read_only", "error", data, reason=refusal.strerror or str(refusal))


def _base_model() -> Check:
    names, damaged = [], {}
    for name, folder in bundled_models().items():
        try:
            read_model_folder(folder)
            names.append(name)
        except ModelFileError as error:
            damaged[name] = error_texts(error)["what"]
    data = {"bundled": names}
    if damaged:
        return _check("base_model", "damaged", "error", data, reasons=" ".join(damaged.values()))
    if not names:
        return _check("base_model", "missing", "error", data)
    return _check("base_model", "ok", "ok", data, names=", ".join(names))


def _train_packages() -> Check:
    versions = {name: package_version(name) for name in TRAIN_PACKAGES}
    missing = [name for name, version in versions.items() if version is None]
    data = {"versions": versions}
    if missing:
        return _check("train_packages", "missing", "error", data, missing=", ".join(missing))
    outdated = outdated_packages()
    if outdated:
        return _check("train_packages", "old", "error", data, outdated=", ".join(outdated))
    shown = ", ".join(f"{name} {versions[name]}" for name in ("torch", "transformers", "peft", "accelerate"))
    return _check("train_packages", "ok", "ok", data, shown=shown)


def _llama_cpp() -> Check:
    version = package_version("xllamacpp")
    if version is None:
        return _check("llama_cpp", "missing", "error", {"version": None})
    return _check("llama_cpp", "ok", "ok", {"version": version})


def _tracker(name: str) -> Check:
    version = package_version(name)
    data = {"package": name, "version": version}
    finding = "ok" if version else "missing"
    return Check(
        f"tracker_{name}",
        "ok",
        translate(f"doctor.tracker.{finding}", **data),
        "" if version else translate("doctor.tracker.missing_hint", **data),
        data,
    )


def _gpu() -> Check:
    gpus = nvidia_gpus()
    data: dict[str, Any] = {"gpus": gpus}
    if not gpus:
        finding = "apple" if (platform.system(), platform.machine()) == ("Darwin", "arm64") else "none"
        return _check("gpu", finding, "ok", data)
    shown = ", ".join(_gpu_words(**gpu_of(line)) for line in gpus)
    if "+cpu" in (package_version("torch") or ""):
        return _check("gpu", "unused", "warning", data, shown=shown)
    return _check("gpu", "ok", "ok", data, shown=shown)


def gpu_of(line: str) -> dict[str, Any]:
    """Return `name` and `memory_bytes` (None where it is not told) of a line such as `NVIDIA H200, 143771 MiB`."""
    name, _, memory = line.rpartition(", ")
    words = memory.split()
    size = int(words[0]) * MIB if len(words) == 2 and words[0].isdigit() and words[1] == "MiB" else None
    return {"name": name if size is not None else line, "memory_bytes": size}


def _gpu_words(name: str, memory_bytes: int | None) -> str:
    return name if memory_bytes is None else f"{name} {size_words(memory_bytes)}"


def nvidia_gpus() -> list[str]:
    """Return name and memory of each NVIDIA GPU that the driver's own tool reports."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return []
    query = [tool, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        finished = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in finished.stdout.splitlines() if line.strip()]


def _hub() -> Check:
    found = hub_identity()
    return _check("hub", found.state, "warning" if found.state == "refused" else "ok", asdict(found))


def _ollama() -> Check:
    """Tell which Ollama answers, and what its version takes; one that is not there is no fault."""
    data: dict[str, Any] = {"url": server_url()}
    try:
        with OllamaClient(wait_seconds=OLLAMA_SECONDS) as client:
            abilities = abilities_of(client.version())
    except OllamaUnavailable as error:
        return _check("ollama", "down", "ok", data, reason=error_texts(error)["what"])
    return _check("ollama", "adapters" if abilities.takes_adapters else "files", "ok", {**data, **asdict(abilities)})


def _port() -> Check:
    """Tell whether `serve` can listen where the settings say, or serves already."""
    server = running_server()
    if server is not None and server["url"]:
        return _check("port", "serving", "ok", {"url": server["url"]})
    try:
        settings = read_server_settings()
        listening_socket(settings.host, settings.port).close()
    except LlmloraError as error:
        texts = error_texts(error)
        data = {**error.params, "code": error.code}
        return Check("port", "warning", texts["what"], texts["hint"], data)
    return _check("port", "free", "ok", {"host": settings.host, "port": settings.port})


def _dtype() -> Check:
    """Report the number format that the newest training job measured as fastest; nothing is measured here."""
    plan = newest_device_plan(jobs_dir())
    if plan is None:
        return _check("dtype", "unknown", "ok", {})
    reason = translate(str(plan.get("reason", "")), **(plan.get("gflops") or {}))
    return _check("dtype", "ok", "ok", plan, reason_text=reason)


def newest_device_plan(jobs: Path) -> dict[str, Any] | None:
    """Return the device plan (`dtype`, `reason`, …) in the newest readable environment record of the jobs, if any."""
    try:
        records = sorted(jobs.glob(f"*/{RUNS_DIR}/*/{ENVIRONMENT_FILE}"), key=lambda path: path.stat().st_mtime)
    except OSError:
        return None
    for record in reversed(records):
        try:
            plan = read_json(record).get("plan")
        except (OSError, ValueError, AttributeError):
            continue
        if isinstance(plan, dict) and "dtype" in plan:
            return plan
    return None


CHECKS: tuple[Callable[[], Check], ...] = (
    _python,
    _platform,
    _cpu,
    _memory,
    _disk,
    _workspace,
    _base_model,
    _train_packages,
    _llama_cpp,
    _gpu,
    _dtype,
    _port,
    _ollama,
    _hub,
)
