"""What is in files that strangers wrote, found out in a child process with hard limits.

Whatever a file does to its reader, crash it, hang it or fill the memory, becomes one typed error about that file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from llmlora.core.errors import (
    DatasetError,
    ExportError,
    InputError,
    LlmloraError,
    ModelFileError,
    OutOfMemory,
    WorkerDied,
    error_from_dict,
)
from llmlora.data.container import require_file
from llmlora.data.read import ReadOptions
from llmlora.data.validate import CheckReport
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker

# Address space, of which threads and allocators reserve much more than they use: reading takes 300 MB at most.
READER_MEMORY_BYTES = 1 << 30
EXPORT_MEMORY_BYTES = 4 << 30  # with numpy, and a tokenizer of any size
WRITTEN_BYTES = 1 << 30
GROWTH = 4  # a file may become as many times larger when it is written again: CP932 to UTF-8, a table to JSON
LEAST_SECONDS, MOST_SECONDS = 120.0, 3600.0
SLOWEST_BYTES_PER_SECOND = 1e5  # of short rows on a busy machine


@dataclass(frozen=True)
class PlannedInspection:
    """A file to look at, the worker that does, and what it may use: memory and files in bytes, seconds of the clock."""

    kind: Literal["inspect", "inspect_export", "inspect_headers"]
    task: Literal["data", "rows", "edit", "add", "choose", "convert", "mix", "headers", "export"]
    path: Path
    options: dict[str, Any]
    memory_bytes: int
    seconds: float
    written_bytes: int = field(default_factory=lambda: WRITTEN_BYTES)

    def to_config(self) -> dict[str, Any]:
        """Return the `config.json` of the work folder."""
        limits = {"memory_bytes": self.memory_bytes, "file_bytes": self.written_bytes, "seconds": self.seconds}
        return {"kind": self.kind, "task": self.task, "path": str(self.path), "limits": limits, **self.options}

    def refusal(self, error: LlmloraError) -> LlmloraError:
        """Return what the end of the worker says of the file; an error that it has found itself stays as it is."""
        about: type[InputError] = ModelFileError if self.task in ("headers", "export") else DatasetError
        if isinstance(error, OutOfMemory):
            return about("inspection_memory", path=str(self.path), limit_bytes=self.memory_bytes)
        if not isinstance(error, WorkerDied):
            return error
        if error.code == "worker_deadline":
            return about("inspection_deadline", path=str(self.path), seconds=round(self.seconds))
        detail = str(error.params.get("detail") or error.params.get("exit_code"))
        return about("inspection_crashed", path=str(self.path), detail=detail)


def plan_data_inspection(path: Path, read: ReadOptions, eval_path: Path | None = None) -> PlannedInspection:
    """Return how a data file is checked; its size sets the deadline.

    Raises:
        NotFound: `file_not_found` or `not_a_file`. DatasetError: `unreadable_file`, its folder may not be entered.
    """
    others = [] if eval_path is None else [eval_path]
    options = {"eval_path": str(eval_path.absolute()) if eval_path else None, "findings": None}
    return plan_data_task("data", path, read, options, others)


def plan_data_task(
    task: Literal["data", "rows", "edit", "add", "choose", "convert"],
    path: Path,
    read: ReadOptions,
    options: Mapping[str, Any],
    others: Iterable[Path] = (),
) -> PlannedInspection:
    """Return how a task is done with a data file, and others beside it; errors as of `plan_data_inspection`."""
    files = [path, *others]
    for file in files:
        require_file(file)
    size = sum(file.stat().st_size for file in files)
    seconds = min(LEAST_SECONDS + size / SLOWEST_BYTES_PER_SECOND, MOST_SECONDS)
    settled = {"read": read.to_dict(), **options}
    written = max(WRITTEN_BYTES, GROWTH * size)
    return PlannedInspection("inspect", task, path.absolute(), settled, READER_MEMORY_BYTES, seconds, written)


def inspect_data(path: Path, read: ReadOptions, eval_path: Path | None = None) -> CheckReport:
    """Check a data file in a child process; the report is that of `check_dataset` of the same file.

    Raises:
        NotFound, ConfigError: those of `check_dataset`.
        DatasetError: `inspection_memory`, `inspection_deadline` or `inspection_crashed`, what the file did.
    """
    return CheckReport.from_stored(run_inspection(plan_data_inspection(path, read, eval_path))["report"])


def inspect_new_data(path: Path, read: ReadOptions, findings: Path) -> tuple[CheckReport, dict[str, Any] | None]:
    """Check a data file that has come, and return the report and what only a person can tell; None for nothing.

    Everything that was found is written to the file `findings`. Errors as of `inspect_data`.
    """
    planned = plan_data_task("data", path, read, {"eval_path": None, "findings": str(findings.absolute())})
    found = run_inspection(planned)
    return CheckReport.from_stored(found["report"]), found["doubts"]


def export_refusal(folder: Path) -> ExportError | None:
    """Return why the model of a folder cannot become a GGUF file; None when it can.

    Raises:
        ModelFileError: `tokenizer_no_bytes`, for which it cannot be trained either; `inspection_memory`,
            `inspection_deadline`, `inspection_crashed`.
    """
    options = {"base_dir": str(folder)}
    found = run_inspection(
        PlannedInspection("inspect_export", "export", folder, options, EXPORT_MEMORY_BYTES, LEAST_SECONDS)
    )
    error = error_from_dict(found["refusal"]) if found["refusal"] else None
    return error if isinstance(error, ExportError) else None


def run_inspection(planned: PlannedInspection) -> dict[str, Any]:
    """Look at a file in a worker of its own and return what it found."""
    try:
        with scratch_folder(planned.to_config()) as work:
            return run_worker(planned.kind, work)
    except LlmloraError as error:
        raise planned.refusal(error) from error
