"""Worker kind `download`: fetch a model of the Hub into the Hub's cache, or have the Ollama server fetch one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.ollama.client import OllamaClient
from llmlora.weights.hub_download import download_model
from llmlora.worker.frame import StopFlag

SHARE = 0.01


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Fetch the model of `name`, by the Hub's client or as `source` says; what has arrived stays when it is stopped."""
    is_ollama, told = config.get("source") == "ollama", -1.0
    phase = "pulling" if is_ollama else "downloading"

    def on_bytes(done: int, total: int) -> None:
        nonlocal told
        if stop:
            raise Stopped("interrupted")
        if done - told >= SHARE * total or done >= total or done < told:
            told = done
            events.emit("phase", name=phase, params={"name": config["name"], "done": done, "total": total})

    if is_ollama:
        return _pulled(str(config["name"]), on_bytes)
    return {"path": str(download_model(config["name"], on_bytes))}


def _pulled(name: str, on_bytes: Callable[[int, int], None]) -> dict[str, Any]:
    def on_line(line: Mapping[str, Any]) -> None:
        if line.get("total"):
            on_bytes(int(line.get("completed") or 0), int(line["total"]))

    with OllamaClient() as client:
        client.pull(name, on_line)
        return {"name": name, "url": client.url, "digest": client.digest_of(name)}
