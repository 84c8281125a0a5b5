"""Worker kind `merge`: base + adapter as one model folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.export.merge import merge_model
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Merge `job_dir` into `output`; a stop leaves nothing behind."""

    def on_progress(num_done: int, num_tensors: int) -> None:
        if stop:
            raise Stopped("interrupted")
        events.emit("phase", name="merge", done=num_done, total=num_tensors)

    moved_base = config.get("base_dir")
    return merge_model(
        Path(config["job_dir"]),
        Path(config["output"]),
        dtype=config.get("dtype"),
        moved_base=Path(moved_base) if moved_base else None,
        on_progress=on_progress,
    )
