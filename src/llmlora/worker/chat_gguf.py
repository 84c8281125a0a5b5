"""Worker kind `chat_gguf`: talk with a GGUF file, by llama.cpp; starts in a fraction of the time that torch takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmlora.core.events import EventWriter
from llmlora.inference.llamacpp_chat import LlamaCppChat
from llmlora.worker.conversation import answer_all
from llmlora.worker.frame import StopFlag


def run(folder: Path, config: dict[str, Any], events: EventWriter, stop: StopFlag) -> dict[str, Any]:
    """Answer requests with the file."""
    return answer_all(LlamaCppChat, config, events, stop)
