"""Merge what a job trained into its base model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from llmlora.core.errors import Conflict
from llmlora.core.job import trained_dir
from llmlora.core.temporary import claimed
from llmlora.core.writable import require_output
from llmlora.services.follow import OnEvent
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker


@dataclass(frozen=True)
class PlannedMerge:
    """A merge that can start: a finished job and a free place for the merged folder."""

    job_dir: Path
    output: Path
    dtype: str | None = None
    base_dir: Path | None = None
    kind: ClassVar[str] = "merge"

    def to_config(self) -> dict[str, Any]:
        """Return the `config.json` of the work folder."""
        return {
            "kind": self.kind,
            "job_dir": str(self.job_dir),
            "output": str(self.output),
            "dtype": self.dtype,
            "base_dir": str(self.base_dir) if self.base_dir else None,
        }


def plan_merge(
    job_dir: str | Path, output: str | Path, *, dtype: str | None = None, base_dir: str | Path | None = None
) -> PlannedMerge:
    """Check that a job can be merged into a folder; nothing is written. `write_work` makes its work folder.

    Raises:
        NotFound: not a finished job. ResourceError: `output` cannot be written. Conflict: `output` is not empty.
    """
    target = Path(output).absolute()
    trained_dir(Path(job_dir))
    require_output(target, "-o")
    _check_free(target)
    base = Path(base_dir).absolute() if base_dir else None
    return PlannedMerge(Path(job_dir).absolute(), target, dtype, base)


def merge(
    job_dir: str | Path,
    output: str | Path,
    *,
    dtype: str | None = None,
    base_dir: str | Path | None = None,
    on_event: OnEvent | None = None,
) -> dict[str, Any]:
    """Write base + adapter as one Hugging Face folder at `output`, which must not exist or be empty.

    `dtype` is float32, float16 or bfloat16, by default the base's. Returns `output`, `dtype`, `num_tensors`,
    `size_bytes`, `max_abs_error` (what rounding to `dtype` cost, at most, per weight) and `files`.

    Raises:
        NotFound: not a finished job. ResourceError: `output` cannot be written.
        Conflict: `output` is not empty, or another process is writing it.
        ExportError: the adapter cannot be merged exactly.
        DiskFull: there is not enough room, known before anything is written.
        ModelFileError: the weights diverged in training.
    """
    planned = plan_merge(job_dir, output, dtype=dtype, base_dir=base_dir)
    planned.output.parent.mkdir(parents=True, exist_ok=True)
    with claimed(planned.output), scratch_folder(planned.to_config()) as work:
        _check_free(planned.output)  # another process may have ended just before
        return run_worker(planned.kind, work, on_event)


def _check_free(target: Path) -> None:
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise Conflict("output_not_empty", path=str(target))
