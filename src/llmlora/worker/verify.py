"""Worker kind `verify`: check the files of an export folder against the trained model again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.evaluation.report import write_files_report
from llmlora.export.verify import verify_export
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Verify the export in the folder and write its `verify.json`."""

    def on_progress(phase: str, num_done: int, total: int) -> None:
        if stop:
            raise Stopped("interrupted")
        events.emit("phase", name=phase, done=num_done, total=total)

    moved_base = Path(config["base_dir"]) if config.get("base_dir") else None
    output = Path(config["output"])
    try:
        return verify_export(output, moved_base, on_progress, carried_facts, folder)
    finally:
        write_files_report(output)
