"""Worker kind `chat`: talk with a job's result or a base model, by transformers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.events import EventWriter
from llmlora.inference.trained_job import find_trained
from llmlora.inference.transformers_chat import load_chat
from llmlora.weights.base import open_base
from llmlora.worker.conversation import answer_all
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Answer requests with a job folder (kind `job`) or a model folder (kind `base`)."""
    if config["model"]["kind"] == "base":
        return answer_all(lambda path: load_chat(open_base(path)), config, events, stop)
    trained = find_trained(Path(config["model"]["path"]))
    return answer_all(lambda _: load_chat(trained.weights, trained.adapter_dir), config, events, stop)
