"""Worker kind `export`: the trained model as verified GGUF files in the folder itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llmlora.catalog.passport import write_passport
from llmlora.core.errors import NotFound, Stopped, VerificationFailed
from llmlora.core.events import EventWriter
from llmlora.core.publish import free_bytes
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.evaluation.report import write_files_report
from llmlora.export.own_grid import SwallowedUpdate
from llmlora.export.pipeline import ExportRequest, export_model
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Export as configured; files that are finished stay, so a stopped export goes on where it was."""

    def on_progress(phase: str, num_done: int, total: int) -> None:
        if stop:
            raise Stopped("export_stopped", has_checkpoint=True, path=str(folder))
        events.emit("phase", name=phase, done=num_done, total=total)

    def on_plan(files: Mapping[str, int]) -> None:
        events.emit("phase", name="planned", params={"files": dict(files), "free_bytes": free_bytes(folder)})

    def on_swallowed(found: SwallowedUpdate) -> None:
        shares = ", ".join(f"{kind} {share:.0%}" for kind, share in found.shares.items())
        numbers = {name: getattr(found, name) for name in ("quantization", "num_tensors", "num_measured")}
        events.emit("warning", code="own_quantization", params={**numbers, "shares": shares})

    request = ExportRequest.from_config(config, folder)
    try:
        result = export_model(request, on_progress, on_plan, carried_facts, on_swallowed)
    except VerificationFailed:
        write_files_report(folder)  # it says which file to take instead
        raise
    write_files_report(folder)
    try:
        write_passport(folder)
    except (OSError, NotFound) as error:  # the export is whole without it
        events.emit("warning", code="passport_not_written", params={"detail": str(error)})
    return result
