"""What both chat workers do with a loaded model: answer requests.

With `requests` in the configuration all are answered and returned. Without, each line on stdin is one request (JSON:
`id`, `messages` or `prompt`, options); the answer is written as `sample` events: pieces of text, then the reply.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llmlora.core.errors import ConfigError, LlmloraError, Stopped
from llmlora.core.events import EventWriter
from llmlora.inference.chat import ChatModel, OnText, request_from_dict
from llmlora.worker.frame import StopFlag


def answer_all(
    open_chat: Callable[[Path], ChatModel], config: dict[str, Any], events: EventWriter, stop: StopFlag
) -> dict[str, Any]:
    """Open the model of the configuration and answer its requests, or those on stdin until it ends."""
    events.emit("phase", name="load")
    chat = open_chat(Path(config["model"]["path"]))
    try:
        events.emit("phase", name="ready", is_raw=chat.is_raw)
        if "requests" in config:
            requests = [request_from_dict(request) for request in config["requests"]]
            return {"replies": [chat.chat(request, _checking(stop)).to_dict() for request in requests]}
        return {"num_replies": _serve(chat, events, stop)}
    finally:
        chat.close()


def _serve(chat: ChatModel, events: EventWriter, stop: StopFlag) -> int:
    num_replies = 0
    for line in sys.stdin:
        if stop:
            break
        request: dict[str, Any] = json.loads(line)
        try:
            _answer(chat, request, events, stop)
            num_replies += 1
        except (ConfigError, KeyError, TypeError) as error:  # a wrong request does not end the conversation
            typed = error if isinstance(error, LlmloraError) else ConfigError("bad_chat_request")
            events.emit("sample", id=request.get("id"), error=typed.to_dict())
    return num_replies


def _answer(chat: ChatModel, request: dict[str, Any], events: EventWriter, stop: StopFlag) -> None:
    check = _checking(stop)

    def on_text(piece: str) -> None:
        check(piece)
        events.emit("sample", id=request.get("id"), text=piece)

    reply = chat.chat(request_from_dict(request), on_text)
    events.emit("sample", id=request.get("id"), reply=reply.to_dict())


def _checking(stop: StopFlag) -> OnText:
    def on_text(piece: str) -> None:
        if stop:
            raise Stopped("interrupted")

    return on_text
