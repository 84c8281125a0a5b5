"""Worker kind `register`: give a file of an export to an Ollama server and check what it answers.

A job that is not exported yet is exported first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.core.layout import CONFIG_FILE, EXPORT_CLAIM
from llmlora.core.publish import read_json
from llmlora.core.temporary import claimed
from llmlora.evaluation.measuring.carried import carried_facts
from llmlora.export.ollama_push import PushRequest, push
from llmlora.worker.export import run as export
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Register as configured; stopped midway nothing is half made, and doing it again goes on."""
    if config.get("exports"):
        output = Path(config["export_dir"])
        with claimed(output / EXPORT_CLAIM):
            export(output, read_json(output / CONFIG_FILE), events, stop)

    def on_progress(phase: str, num_done: int, total: int) -> None:
        if stop:
            raise Stopped("interrupted")
        events.emit("phase", name=phase, done=num_done, total=total)

    return push(PushRequest.from_config(config), on_progress, carried_facts)
