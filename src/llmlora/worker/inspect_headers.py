"""Worker kind `inspect_headers`: read headers of models that strangers made, one after the other, under hard limits.

What one of them said stands in a file before the next one is opened: of whatever ends this process the reader knows
which it was, and what the others said.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmlora.catalog.adapter_folder import read_adapter_folder
from llmlora.catalog.gguf_header import read_gguf_header
from llmlora.catalog.header_reader import Form, answer_file
from llmlora.catalog.model_folder import read_model_folder
from llmlora.core.errors import LlmloraError
from llmlora.core.events import EventWriter
from llmlora.worker.frame import StopFlag
from llmlora.worker.limits import Limits, limit_process, limit_time

READERS: dict[Form, Callable[[Path], dict[str, Any]]] = {
    "adapter": lambda path: read_adapter_folder(path).to_dict(),
    "gguf": lambda path: read_gguf_header(path).to_dict(),
    "model": lambda path: read_model_folder(path).to_dict(),
}


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Write what is `found` in each of the `wanted` files, or the `error` of it; each has the time of the limits."""
    stop.ends_at_once = True  # nothing of it is worth saving
    limits = Limits(**config["limits"])
    limit_process(limits)
    for number, (form, path) in enumerate(config["wanted"]):
        limit_time(limits.seconds)
        _publish(answer_file(folder, number), _answer(form, Path(path)))
    return {}


def _answer(form: Form, path: Path) -> dict[str, Any]:
    try:
        return {"found": READERS[form](path)}
    except LlmloraError as error:
        return {"error": error.to_dict()}


def _publish(path: Path, answer: dict[str, Any]) -> None:
    """Let an answer be there whole or not at all; nobody needs it after a power cut."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(answer, separators=(",", ":")), encoding="ascii")
    part.rename(path)
