"""Worker kind `chat_served`: talk with what several jobs trained on one GGUF file, without a copy of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from llmlora.core.events import EventWriter
from llmlora.inference.served_chat import ServedChat
from llmlora.worker.conversation import answer_all
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Answer requests, each of which names its job."""
    return answer_all(partial(ServedChat, scratch=folder), config, events, stop)
