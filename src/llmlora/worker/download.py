"""Worker kind `download`: fetch a model of the Hub into the Hub's cache."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.weights.hub_download import download_model
from llmlora.worker.frame import StopFlag

SHARE = 0.01


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Fetch the model of `name`; files that are whole stay when it is stopped."""
    told = -1.0

    def on_bytes(done: int, total: int) -> None:
        nonlocal told
        if stop:
            raise Stopped("interrupted")
        if done - told >= SHARE * total or done >= total:
            told = done
            events.emit("phase", name="downloading", params={"name": config["name"], "done": done, "total": total})

    return {"path": str(download_model(config["name"], on_bytes))}
