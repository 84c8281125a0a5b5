"""Verify an export again, from its files."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from llmlora.core.errors import Conflict, NotFound
from llmlora.core.job import EXPORT_SCHEMA, folder_schema
from llmlora.core.job import SCHEMA as JOB_SCHEMA
from llmlora.core.layout import EXPORT_CLAIM
from llmlora.core.temporary import claimed
from llmlora.services.export import export_record
from llmlora.services.follow import OnEvent, lock_holder
from llmlora.services.launch import scratch_folder
from llmlora.services.supervisor import run_worker


@dataclass(frozen=True)
class PlannedVerification:
    """A verification that can start: `output` is an export folder."""

    output: Path
    base_dir: Path | None = None
    kind: ClassVar[str] = "verify"

    def to_config(self) -> dict[str, Any]:
        """Return the `config.json` of the work folder."""
        base_dir = str(self.base_dir) if self.base_dir else None
        return {"kind": self.kind, "output": str(self.output), "base_dir": base_dir}


def plan_verification(output: str | Path, *, base_dir: str | Path | None = None) -> PlannedVerification:
    """Check that a folder is an export; nothing is written. `write_work` makes the work folder.

    Raises:
        NotFound: not an export folder. Conflict: a worker is writing it, whoever started it.
    """
    folder = Path(output).absolute()
    if export_record(folder) is None:
        raise _not_an_export(folder)
    if lock_holder(folder) is not None:
        raise Conflict("output_busy", path=str(folder))
    return PlannedVerification(folder, Path(base_dir).absolute() if base_dir else None)


def verify(
    output: str | Path, *, base_dir: str | Path | None = None, on_event: OnEvent | None = None
) -> dict[str, Any]:
    """Check every file of an export folder against the trained model and return the content of `verify.json`.

    `base_dir` says where the base model lies now if it moved. `saved_to` in the result is where it lies: the
    workspace, when the folder may not be written to.

    Raises:
        NotFound: not an export folder. Conflict: another process is working in it.
        VerificationFailed: a file does not give the trained model's answers; `verify.json` says which check and why.
    """
    planned = plan_verification(output, base_dir=base_dir)
    with claimed(planned.output / EXPORT_CLAIM), scratch_folder(planned.to_config()) as work:
        return run_worker(planned.kind, work, on_event)


def _not_an_export(folder: Path) -> NotFound:
    """Return the error for a path that is no export: what it is instead, and what is probably meant."""
    if folder_schema(folder) == JOB_SCHEMA:
        return NotFound("job_not_export", path=str(folder), output=f"{folder}-export")
    if folder_schema(folder.parent) == EXPORT_SCHEMA:
        return NotFound("part_of_an_export", path=str(folder), output=str(folder.parent))
    return NotFound("not_an_export" if os.path.exists(folder) else "file_not_found", path=str(folder))
