"""What both chat workers do with a loaded model: answer requests.

With `requests` in the configuration all are answered and returned. Without, each line on stdin is one request (JSON:
`id`, `messages` or `prompt`, options) or takes one back (`cancel`: its id); the answer is written as `sample` events:
pieces of text, with what is told of their tokens where that was asked for, then the reply.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from llmlora.core.errors import ConfigError, LlmloraError, Stopped
from llmlora.core.events import EventWriter
from llmlora.core.machine import CoreWatch, threads_asked_for
from llmlora.inference.chat import ChatModel, Logprob, OnText, request_from_dict
from llmlora.worker.frame import StopFlag

STDIN = 0
READ_BYTES = 1 << 16


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


class Inbox:
    """The requests that come on stdin, read by a thread, so that one can be taken back while it is answered."""

    def __init__(self) -> None:
        self._requests: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._canceled: set[Any] = set()
        threading.Thread(target=self._read, name="llmlora-inbox", daemon=True).start()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield requests until stdin ends."""
        while (request := self._requests.get()) is not None:
            yield request

    def is_canceled(self, identifier: Any) -> bool:
        """Tell whether a request was taken back."""
        return identifier in self._canceled

    def _read(self) -> None:
        """Read lines from the descriptor itself: a buffered stream that a thread waits in cannot be closed."""
        rest = b""
        while piece := os.read(STDIN, READ_BYTES):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                message: dict[str, Any] = json.loads(line)
                if "cancel" in message:
                    self._canceled.add(message["cancel"])
                else:
                    self._requests.put(message)
        self._requests.put(None)


def _serve(chat: ChatModel, events: EventWriter, stop: StopFlag) -> int:
    num_replies = 0
    inbox, cores = Inbox(), CoreWatch()
    for request in inbox:
        if stop:
            break
        try:
            chat.use_threads(threads_asked_for() or cores.free_cores())
            _answer(chat, request, inbox, events, stop)
            num_replies += 1
        except (LlmloraError, KeyError, TypeError) as error:  # a wrong request does not end the conversation
            if stop:
                raise
            typed = error if isinstance(error, LlmloraError) else ConfigError("bad_chat_request")
            events.emit("sample", id=request.get("id"), error=typed.to_dict())
    return num_replies


def _answer(chat: ChatModel, request: dict[str, Any], inbox: Inbox, events: EventWriter, stop: StopFlag) -> None:
    identifier = request.get("id")
    untold: list[Logprob] = []  # tokens whose text has not been passed on yet

    def on_token(token: Logprob | None) -> None:
        _check(stop)
        if inbox.is_canceled(identifier):
            raise Stopped("answer_canceled")
        if token is not None:
            untold.append(token)

    def tokens() -> dict[str, list[Logprob]]:
        told = {"tokens": untold.copy()} if untold else {}
        untold.clear()
        return told

    def on_text(piece: str) -> None:
        events.emit("sample", id=identifier, text=piece, **tokens())

    reply = chat.chat(request_from_dict(request), on_text, on_token)
    events.emit("sample", id=identifier, reply=reply.to_dict(), **tokens())


def _checking(stop: StopFlag) -> OnText:
    return lambda _: _check(stop)


def _check(stop: StopFlag) -> None:
    if stop:
        raise Stopped("interrupted")
