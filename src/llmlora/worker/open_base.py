"""Worker kind `open_base`: open a GGUF file for training, and make sure that it is the model that llama.cpp runs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from llmlora.catalog.opened_model import OPENED_RULES, SELFTEST_FILE
from llmlora.core.errors import Stopped
from llmlora.core.events import EventWriter
from llmlora.core.publish import write_json
from llmlora.export.base_check import check_opened, ollama_difference
from llmlora.weights.base import open_gguf
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Open the file of `path`; the result, kept beside its tokenizer, is what the comparison measured.

    With `go_template` the result is `difference`, where Ollama would render a conversation otherwise, or null.
    """

    def look_at_stop() -> None:
        if stop:
            raise Stopped("interrupted")

    started = time.monotonic()
    base = open_gguf(Path(config["path"]))
    if "go_template" in config:
        return {"difference": ollama_difference(base, config["go_template"], config["system"])}
    events.emit("phase", name="opening", params={"name": config["name"]})
    measured = check_opened(base, look_at_stop)
    selftest = {"rules": OPENED_RULES, **measured, "seconds": round(time.monotonic() - started, 1)}
    write_json(base.tokenizer_dir / SELFTEST_FILE, selftest)
    return selftest
