"""Worker kind `merge`: base + adapter as one model folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.export.merge import merge_model
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Merge `job_dir` into `output`; a stop leaves nothing behind, what a killed attempt has published is made anew."""

    def on_progress(num_done: int, num_tensors: int) -> None:
        if stop:
            raise Stopped("interrupted")
        events.emit("phase", name="merge", done=num_done, total=num_tensors)

    output, moved_base = Path(config["output"]), config.get("base_dir")
    if output.is_relative_to(folder):  # nobody else's: an attempt that was killed before its last word
        shutil.rmtree(output, ignore_errors=True)
    return merge_model(
        Path(config["job_dir"]),
        output,
        dtype=config.get("dtype"),
        moved_base=Path(moved_base) if moved_base else None,
        on_progress=on_progress,
    )
