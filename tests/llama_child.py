"""llama.cpp for tests, in a process of its own: a broken file aborts that process and not the tests.

`LlamaChild().ask(model, …)` loads a GGUF file, answers, and unloads it; one child serves many files.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SOURCE = Path(__file__).resolve().parents[1] / "src"


class ChildDiedError(Exception):
    """The process ended while a file was loaded or run; its exit status is the argument."""


@dataclass(frozen=True)
class Answer:
    """What llama.cpp says: log-probabilities (contexts, vocabulary), greedy continuations, token ids, a rendering, and
    the reply to a prompt."""

    logprobs: np.ndarray
    greedy: list[list[int]]
    tokens: list[list[int]]
    rendered: str
    reply: dict[str, Any] = field(default_factory=dict)


class LlamaChild:
    """A child process, started at the first question and again after it died."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._folder = tempfile.TemporaryDirectory(prefix="llmlora-llama-")

    def ask(
        self,
        model: Path,
        *,
        lora: Path | None = None,
        contexts: Sequence[Sequence[int]] = (),
        num_greedy: int = 0,
        texts: Sequence[str] = (),
        messages: Sequence[tuple[str, str]] = (),
        reply: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Load a file and answer: the next token of each context, `num_greedy` tokens after it, the ids of each text.

        `reply` asks for the answer to a prompt, with `num_predict`, `stop`, `temperature`, `num_ctx` and `top`.

        Raises ChildDiedError when native code ended the process, RuntimeError when it refused the file.
        """
        result = Path(self._folder.name) / "logprobs.npy"
        question = {
            "model": str(model),
            "lora": str(lora) if lora else None,
            "contexts": [[int(token) for token in context] for context in contexts],
            "num_greedy": num_greedy,
            "texts": list(texts),
            "messages": list(messages),
            "result": str(result),
            "reply": dict(reply) if reply else None,
        }
        found = self._exchange(question)
        if "error" in found:
            raise RuntimeError(found["error"])
        return Answer(np.load(result), found["greedy"], found["tokens"], found["rendered"], found["reply"])

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None
        self._folder.cleanup()

    def _exchange(self, question: dict[str, Any]) -> dict[str, Any]:
        process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            process.communicate()
            self._process = None
            raise ChildDiedError(process.returncode)
        reply: dict[str, Any] = json.loads(line)
        return reply

    def _start(self) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "GGML_NO_BACKTRACE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        return self._process


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    from llmlora.core.examples import Message
    from llmlora.inference.llamacpp_chat import LlamaCppChat

    lora = Path(question["lora"]) if question["lora"] else None
    chat = LlamaCppChat(Path(question["model"]), lora_path=lora, is_exact=True)
    try:
        rows = [chat.next_token_logprobs(context) for context in question["contexts"]]
        np.save(question["result"], np.stack(rows) if rows else np.zeros((0, 0), np.float32))
        count = question["num_greedy"]
        messages = [Message(role, content) for role, content in question["messages"]]
        return {
            "greedy": [chat.generate_ids(context, count) for context in question["contexts"]] if count else [],
            "tokens": [chat.tokenize(text, add_special=True) for text in question["texts"]],
            "rendered": chat.apply_template(messages) if messages else "",
            "reply": _reply(chat, question["reply"]) if question["reply"] else {},
        }
    finally:
        chat.close()


def _reply(chat: Any, wanted: dict[str, Any]) -> dict[str, Any]:
    """Answer as Ollama does: a prompt that is too long loses its middle, or is refused with `truncate` false."""
    ids, room = chat.tokenize(wanted["prompt"], add_special=True), int(wanted["num_ctx"])
    if len(ids) >= room:
        if not wanted["truncate"]:
            return {"error": "the input length exceeds the context length"}
        ids = [*ids[: room // 4], *ids[len(ids) - room // 4 :]]
    body = {
        "prompt": ids, "n_predict": wanted["num_predict"], "temperature": wanted["temperature"], "stop": wanted["stop"],
        "n_probs": wanted["top"], "ignore_eos": wanted["ignores_end"], "return_tokens": True,
    }  # fmt: skip
    answer = chat._post("/completion", body)
    reason = "length" if answer["stop_type"] == "limit" else "stop"
    counts = {"num_prompt": len(ids), "num_tokens": answer["tokens_predicted"]}
    return {"text": answer["content"], "reason": reason, **counts, "logprobs": _logprobs(answer)}


def _logprobs(answer: dict[str, Any]) -> list[dict[str, Any]]:
    names = ("token", "logprob", "bytes")
    return [
        {**{name: step[name] for name in names}, "top_logprobs": [{name: one[name] for name in names} for one in tops]}
        for step in answer.get("completion_probabilities", [])
        if (tops := step.get("top_logprobs")) is not None
    ]


def _serve() -> None:
    from llmlora.core.errors import LlmloraError

    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # native code may print
    for line in sys.stdin:
        try:
            reply = _answer(json.loads(line))
        except LlmloraError as error:
            reply = {"error": str(error)}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


if __name__ == "__main__":
    _serve()
