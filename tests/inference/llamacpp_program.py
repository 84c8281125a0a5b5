"""Run as a program: answers of one GGUF file through llama.cpp beside those of transformers, printed as JSON.

llama.cpp runs here and not in the test process.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.core.errors import LlmloraError
from llmlora.core.examples import Message
from llmlora.core.generate_options import GenerateOptions
from llmlora.core.publish import read_json
from llmlora.gguf.writer import write_gguf
from llmlora.inference import llamacpp_chat
from llmlora.inference.chat import ChatReply, ChatRequest
from llmlora.inference.llamacpp_chat import LlamaCppChat
from llmlora.inference.transformers_chat import load_chat
from llmlora.weights.base import open_folder
from llmlora.weights.folder_source import FolderSource
from tiny_models import tiny_model

TURNS = (Message("user", "こんにちは 😀"), Message("assistant", "はい。"), Message("user", "値段は？"))


def asked(**options: Any) -> ChatRequest:
    return ChatRequest(TURNS, options=GenerateOptions(**{"max_new_tokens": 24, **options}))


def facts(reply: ChatReply) -> list[Any]:
    return [list(reply.token_ids), reply.finish_reason, reply.num_tokens]


def failure(path: Path) -> str:
    try:
        LlamaCppChat(path).close()
    except LlmloraError as error:
        return f"{type(error).__name__} {error.code}"
    return "loaded"


def errors_of(chat: LlamaCppChat) -> dict[str, str]:
    found = {}
    for name, call in (
        ("too_long", lambda: chat.chat(ChatRequest(prompt="あ" * 600))),
        ("empty", lambda: chat.chat(ChatRequest(prompt=""))),
        ("no_such_endpoint", lambda: chat._post("/nothing", {})),
    ):
        try:
            call()
        except LlmloraError as error:
            found[name] = error.code
    return found


def broken_files(path: Path) -> dict[str, str]:
    folder, data = path.parent, path.read_bytes()
    contents = {
        "cut_off": data[:-4000],
        "no_gguf": b"something else",
        "unknown_pre": data.replace(b"gpt-2", b"gpt-9", 1),
        "lost_tensor": data.replace(b"blk.1.ffn_up.weight", b"blk.7.ffn_up.weight", 1),
    }
    results = {}
    for name, content in contents.items():
        (folder / f"{name}.gguf").write_bytes(content)
        results[name] = failure(folder / f"{name}.gguf")
    return results


def main(folder: Path) -> None:
    base = tiny_model("llama", folder / "base")
    path = folder / "model.gguf"
    write_gguf(FolderSource(base), read_json(base / "config.json"), base, path, "F32", "llmlora-test")
    reference, chat = load_chat(open_folder(base)), LlamaCppChat(path, is_exact=True)
    pieces: list[str] = []
    plain = chat.chat(asked(), pieces.append)
    stop = next(character for character in reference.chat(asked()).text[3:] if character.isalnum())
    ids = reference.prompt_ids(asked())
    distance = np.abs(chat.next_token_logprobs(ids) - reference.next_token_logprobs(ids)).max()
    results = {
        "replies": {
            name: [facts(chat.chat(asked(**options))), facts(reference.chat(asked(**options)))]
            for name, options in {
                "greedy": {},
                "penalty": {"repetition_penalty": 1.4},
                "short": {"max_new_tokens": 3},
                "stop": {"stop": (stop,)},
            }.items()
        },
        "drawn": [chat.chat(asked(temperature=1.0, seed=seed)).text for seed in (5, 5, 6)],
        "pieces": ["".join(pieces), plain.text, len(pieces), plain.num_tokens],
        "rendered": [chat.apply_template(TURNS), reference.render(TURNS)],
        "prompt_ids": [chat.prompt_ids(asked()), ids],
        "count": chat.count_chat_tokens(TURNS),
        "distance": float(distance),
        "total_probability": float(np.exp(chat.next_token_logprobs(ids).astype(np.float64)).sum()),
        "generated": [chat.generate_ids(ids, 8), list(reference.chat(asked(max_new_tokens=8)).token_ids)],
        "stops_at": {name: chat.stops_at(ids, chat.vocabulary.index(name)) for name in ("<|im_end|>", "a")},
        "errors": errors_of(chat),
        "context_length": chat.context_length,
        "key_needed": unauthorised(chat),
        "logprobs": [told(chat), told(reference)],
        "without_others": told(chat, top_logprobs=0)[0],
        "threads": other_threads(chat),
    }
    chat.close()
    for _ in range(5):  # ended at once, which llama.cpp's server alone does not survive
        LlamaCppChat(path).close()
    results["broken"] = broken_files(path)
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")


def told(chat: Any, top_logprobs: int = 2) -> list[Any]:
    """Return what is told of the tokens of a streamed reply, and its lengths."""
    tokens: list[Any] = []
    request = ChatRequest(TURNS, options=GenerateOptions(max_new_tokens=8), top_logprobs=top_logprobs)
    reply = chat.chat(request, lambda _: None, tokens.append)
    return [tokens, reply.num_tokens, reply.num_prompt_tokens]


def other_threads(chat: LlamaCppChat) -> list[Any]:
    """Return an answer before and after the model was loaded again for another number of threads, and its ports."""
    before = [chat.chat(asked()).text, chat._port]
    chat.use_threads(2)
    small = chat._port
    llamacpp_chat.SMALL_MODEL_BYTES = 0
    chat.use_threads(2)
    return [*before, small, chat.chat(asked()).text, chat._port, chat._params.cpuparams.n_threads]


def unauthorised(chat: LlamaCppChat) -> int:
    """Return the status of a request that does not know this process's key."""
    from http.client import HTTPConnection

    connection = HTTPConnection(chat._host, chat._port, timeout=10)
    connection.request("POST", "/completion", "{}", {"Content-Type": "application/json"})
    return connection.getresponse().status


if __name__ == "__main__":
    main(Path(sys.argv[1]))
