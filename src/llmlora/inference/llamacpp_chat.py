"""Chat with a GGUF file through llama.cpp, the engine that serves it later.

Loading a GGUF file runs native code that aborts the whole process on some broken files: use this only in a worker
process. The strict header reader comes first and refuses what it can see.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import xllamacpp

from llmlora.catalog.gguf_header import GgufHeader, read_gguf_header
from llmlora.core.errors import ModelFileError, RunError
from llmlora.core.examples import Message
from llmlora.core.machine import threads_for_now
from llmlora.data.asked import asks_with_text_alone
from llmlora.inference.chat import (
    ChatReply,
    ChatRequest,
    FinishReason,
    Logprob,
    OnText,
    OnToken,
    logprob_of,
    messages_to_dicts,
    room_after,
)

os.environ.setdefault("GGML_NO_BACKTRACE", "1")  # an abort would otherwise start a debugger and hang

MAX_CONTEXT = 8192
REQUEST_SECONDS = 600.0
FORCING_BIAS = 1e4
SAMPLERS = ["penalties", "temperature", "top_k", "top_p", "min_p"]  # as next_token orders them
SMALL_MODEL_BYTES = 64_000_000
MAX_CAPTURED = 1 << 20


class LlamaCppChat:
    """A GGUF model served on the loopback interface to this process only; implements `ChatModel`.

    `is_exact` switches off what makes llama.cpp faster but less exact (f16 cache, flash attention), for comparisons.
    `context_length` is the most tokens to make room for; without `num_threads` it takes the cores that are free now.
    """

    def __init__(
        self,
        gguf_path: Path,
        lora_path: Path | None = None,
        is_exact: bool = False,
        context_length: int = MAX_CONTEXT,
        num_threads: int | None = None,
    ) -> None:
        self.path = gguf_path
        self.header = read_gguf_header(gguf_path)
        self.vocabulary = [str(token) for token in self.header.metadata.get("tokenizer.ggml.tokens", ())]
        self.vocab_size = len(self.vocabulary)
        self.context_length = min(_trained_context(self.header), context_length)
        self.has_template = "tokenizer.chat_template" in self.header.metadata
        self._key = secrets.token_hex(16)
        self._num_threads = _num_threads(gguf_path, num_threads)
        self._params = self._server_params(is_exact)
        self._loras: list[Path] = []
        if lora_path is not None:
            self._add_lora(lora_path)
        self._choice: dict[str, Any] = {}  # which adapter answers, where there is a choice
        self._last_lora: Path | None = None
        self._ascii_token: int | None = None
        self._server: Any = None
        self._open()

    def _open(self) -> None:
        """Load the model into a server of its own."""
        self._params.cpuparams.n_threads = self._params.cpuparams_batch.n_threads = self._num_threads
        self._has_completed = False
        self._server = _start(self._params, self.path)
        address = urlsplit(self._server.listening_address)
        self._host, self._port = str(address.hostname), int(address.port or 0)

    def use_threads(self, number: int) -> None:
        """Compute with that many threads from the next request on; a small model goes on with one.

        The number is fixed when a model is loaded, so another one loads it again: its file is in memory by then, and
        threads that wait for each other on busy cores are several times slower than one.
        """
        number = _num_threads(self.path, number)
        if number != self._num_threads:
            self.close()
            self._num_threads = number
            self._open()

    def use_lora(self, path: Path | None) -> None:
        """Answer with an adapter of those that were named before, or a new one, from the next request on; or with none.

        Adapters are fixed when a model is loaded, so a new one loads it again: its file is in memory by then.
        """
        if path is not None and path not in self._loras:
            self._add_lora(path)
            self.close()
            self._open()
        chosen = [{"id": number, "scale": float(lora == path)} for number, lora in enumerate(self._loras)]
        # What was computed under another adapter is of no use, and must not be taken for this one's.
        self._choice = {"lora": chosen, "cache_prompt": path == self._last_lora}
        self._last_lora = path

    def _add_lora(self, path: Path) -> None:
        read_gguf_header(path)
        adapter = xllamacpp.CommonAdapterLoraInfo()
        adapter.path, adapter.scale = str(path), 1.0
        self._params.lora_adapters = [*self._params.lora_adapters, adapter]
        self._loras.append(path)

    def chat(self, request: ChatRequest, on_text: OnText | None = None, on_token: OnToken | None = None) -> ChatReply:
        """Answer one request; raises ConfigError when the prompt is empty or fills the whole context."""
        return self.answer(self.prompt_ids(request), request, on_text, on_token)

    def answer(
        self,
        prompt_ids: list[int],
        request: ChatRequest,
        on_text: OnText | None = None,
        on_token: OnToken | None = None,
        turn_end: str | None = None,
    ) -> ChatReply:
        """Go on after token ids as a request asks; raises ConfigError for none, and for those that fill the context.

        `turn_end` is the text of a token that ends an answer although the file does not say so.
        """
        room = room_after(prompt_ids, self.context_length)
        options, ends = request.options, [turn_end] if turn_end else []
        body = {
            "prompt": prompt_ids,
            "n_predict": min(options.max_new_tokens, room),
            "samplers": SAMPLERS if options.temperature else SAMPLERS[:2],
            "temperature": options.temperature,
            "top_k": options.top_k,
            "top_p": options.top_p,
            "min_p": options.min_p,
            "repeat_penalty": options.repetition_penalty,
            "repeat_last_n": self.context_length,
            "seed": options.seed,
            "stop": [*options.stop, *ends],
            "preserved_tokens": ends,
            "return_tokens": True,
            **self._choice,
        }
        if on_text is None and on_token is None:
            answer = self._post("/completion", body)
            return _reply(answer, answer["content"], answer["tokens"], len(prompt_ids))
        top = request.top_logprobs
        told = {} if top is None else {"n_probs": max(1, top)}
        return self._streamed_reply({**body, **told, "stream": True}, len(prompt_ids), on_text, on_token, top or 0)

    def generate_ids(self, prompt_ids: Sequence[int], num_tokens: int) -> list[int]:
        """Return the likeliest `num_tokens` tokens after `prompt_ids`, end tokens not stopping it."""
        body = {
            "prompt": list(prompt_ids), "n_predict": num_tokens, "samplers": ["temperature"], "temperature": 0,
            "return_tokens": True, "ignore_eos": True, "cache_prompt": False,
        }  # fmt: skip
        return [int(token) for token in self._post("/completion", body)["tokens"]]

    @property
    def is_raw(self) -> bool:
        """Whether it is asked with the last user's text alone, as the file's own template says."""
        try:
            return self.has_template and asks_with_text_alone(self.apply_template)
        except RunError:  # a template that refuses these turns shows more than a text
            return False

    def prompt_ids(self, request: ChatRequest) -> list[int]:
        """Return the token ids a request is answered from, as the server itself would make them."""
        text = self.apply_template(request.messages) if request.messages is not None else request.prompt or ""
        return self.tokenize(text, add_special=True)

    def apply_template(self, messages: Sequence[Message]) -> str:
        """Return the text of a conversation, ready for the assistant's turn, rendered by the file's own template."""
        if not self.has_template:
            raise ModelFileError("gguf_no_template", path=str(self.path))
        return str(self._post("/apply-template", {"messages": messages_to_dicts(messages)})["prompt"])

    def tokenize(self, text: str, add_special: bool = False) -> list[int]:
        """Return token ids of a text; special tokens written in it are recognised."""
        body = {"content": text, "add_special": add_special, "parse_special": True}
        return [int(token) for token in self._post("/tokenize", body)["tokens"]]

    def count_chat_tokens(self, messages: Sequence[Message]) -> int:
        """Return the prompt length that the chat endpoint of the server counts."""
        body = {"messages": messages_to_dicts(messages), "max_tokens": 1, "temperature": 0}
        return int(self._post("/v1/chat/completions", body)["usage"]["prompt_tokens"])

    def reply_ids(self, prompt_ids: Sequence[int], num_tokens: int) -> tuple[str, list[int], bool]:
        """Return the greedy reply as text, its token ids with the end token, and whether it ended by itself."""
        body = {
            "prompt": list(prompt_ids), "n_predict": num_tokens, "samplers": ["temperature"], "temperature": 0,
            "return_tokens": True,
        }  # fmt: skip
        answer = self._post("/completion", body)
        return str(answer["content"]), [int(token) for token in answer["tokens"]], answer["stop_type"] == "eos"

    def next_token_logprobs(self, token_ids: Sequence[int], num_likeliest: int | None = None) -> np.ndarray:
        """Return the log-probabilities (natural log, float32) of every vocabulary entry after `token_ids`.

        With `num_likeliest` those of that many likeliest entries, minus infinity for the others: a distribution of
        262,144 entries takes two seconds to come through as JSON.
        The server leaves the distribution out when the sampled token is half a character, so an ASCII token is
        forced; probabilities are taken before that bias acts.
        """
        result = np.full(self.vocab_size, -np.inf, dtype=np.float32)
        for entry in self._likeliest(token_ids, num_likeliest or self.vocab_size):
            result[entry["id"]] = -np.inf if entry["logprob"] is None else entry["logprob"]
        return result

    def likeliest(self, token_ids: Sequence[int], number: int) -> dict[bytes, float]:
        """Return the log-probabilities of the likeliest next tokens, by the bytes that each stands for."""
        entries = self._likeliest(token_ids, number)
        return {bytes(entry["bytes"]): float(entry["logprob"]) for entry in entries if entry["logprob"] is not None}

    def _likeliest(self, token_ids: Sequence[int], number: int) -> list[dict[str, Any]]:
        body = {
            "prompt": list(token_ids), "n_predict": 1, "temperature": 0, "samplers": ["temperature"],
            "n_probs": min(number, self.vocab_size),
            "logit_bias": [[self._forced_token(), FORCING_BIAS]],
        }  # fmt: skip
        return list(self._post("/completion", body)["completion_probabilities"][0]["top_logprobs"])

    def stops_at(self, token_ids: Sequence[int], token_id: int) -> bool:
        """Tell whether the server ends a reply when the model's next token is `token_id`."""
        body = {
            "prompt": list(token_ids), "n_predict": 2, "temperature": 0, "samplers": ["temperature"],
            "cache_prompt": False, "logit_bias": [[token_id, FORCING_BIAS]],
        }  # fmt: skip
        return bool(self._post("/completion", body)["stop_type"] == "eos")

    def close(self) -> None:
        """Unload the model.

        A server that is ended before its loop has begun waits for ever, so one that has not answered is asked first.
        """
        if self._server is not None and not self._has_completed:
            with suppress(RunError):
                self._post("/completion", {"prompt": [0], "n_predict": 1})
        self._server = None

    def _server_params(self, is_exact: bool) -> Any:
        params = xllamacpp.CommonParams()
        params.model.path = str(self.path)
        params.api_keys = [self._key]
        params.n_ctx = self.context_length
        params.n_parallel = 1
        params.warmup = False
        # The mapped file is the only copy of the weights. Rearranged for this processor, Q4_K weights would be there
        # twice and answer no faster (shapes of 7B, AVX-512, one core; the legacy Q4_0 reads prompts a third slower).
        params.no_extra_bufts = True
        params.cache_ram_mib = 0  # kept states do not tell which adapter they were computed with
        params.verbosity = 1  # errors only: they are the reason a load failed
        if is_exact:
            params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
            params.cache_type_k = xllamacpp.ggml_type.GGML_TYPE_F32
            params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
            params.n_gpu_layers = 0
        return params

    def _forced_token(self) -> int:
        if self._ascii_token is None:
            tokens = self.tokenize("a")
            self._ascii_token = tokens[-1]
        return self._ascii_token

    def _streamed_reply(
        self,
        body: dict[str, Any],
        num_prompt_tokens: int,
        on_text: OnText | None,
        on_token: OnToken | None,
        num_top: int,
    ) -> ChatReply:
        text = ""
        last: dict[str, Any] = {}
        for last in self._stream("/completion", body):
            if on_token is not None:
                for token in last.get("completion_probabilities") or [None]:
                    on_token(None if token is None else _logprob(token, num_top))
            piece = str(last.get("content", ""))
            text += piece
            if piece and on_text is not None:
                on_text(piece)
        return _reply(last, text, (), num_prompt_tokens)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        with self._request(path, body) as response:
            return json.loads(response.read())

    def _stream(self, path: str, body: dict[str, Any]) -> Iterator[dict[str, Any]]:
        with self._request(path, body) as response:
            for line in response:
                if line.startswith(b"data: ") and not line.startswith(b"data: [DONE]"):
                    yield json.loads(line[6:])

    @contextmanager
    def _request(self, path: str, body: dict[str, Any]) -> Iterator[HTTPResponse]:
        connection = HTTPConnection(self._host, self._port, timeout=REQUEST_SECONDS)
        headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            if response.status != 200:
                detail = response.read(2000).decode("utf-8", "replace")
                raise RunError("llamacpp_request_failed", endpoint=path, status=response.status, detail=detail)
            self._has_completed = self._has_completed or path == "/completion"
            yield response
        except (OSError, HTTPException) as error:
            raise RunError("llamacpp_request_failed", endpoint=path, status=0, detail=str(error)) from error
        finally:
            connection.close()


def _logprob(token: dict[str, Any], num_top: int) -> Logprob:
    top = [logprob_of(bytes(other["bytes"]), other["logprob"]) for other in token["top_logprobs"][:num_top]]
    return logprob_of(bytes(token["bytes"]), token["logprob"], top)


def _reply(answer: dict[str, Any], text: str, token_ids: Sequence[int], num_prompt_tokens: int) -> ChatReply:
    """Build the reply from a request's last message; `token_ids` may end with the end token."""
    num_tokens = int(answer["tokens_predicted"]) - int(answer["stop_type"] == "eos")
    finish_reason: FinishReason = "length" if answer["stop_type"] == "limit" else "stop"
    ids = tuple(int(token) for token in token_ids)[:num_tokens]
    return ChatReply(text, finish_reason, num_tokens, ids, num_prompt_tokens)


def _start(params: Any, path: Path) -> Any:
    with _captured_stderr() as captured:
        try:
            return xllamacpp.Server(params)
        except RuntimeError as error:
            detail = _reason(captured()) or str(error)
            raise ModelFileError("gguf_load_failed", path=str(path), detail=detail) from error


@contextmanager
def _captured_stderr() -> Iterator[Callable[[], str]]:
    """Collect what native code writes to stderr: the only place where llama.cpp says why a load failed.

    In a worker stderr is a log file, which is read; an abort then leaves its reason there too.
    """
    sys.stderr.flush()
    if _is_readable_file(2):
        start = os.fstat(2).st_size
        yield lambda: os.pread(2, MAX_CAPTURED, start).decode("utf-8", "replace")
        return
    saved = os.dup(2)
    with tempfile.TemporaryFile() as stream:
        os.dup2(stream.fileno(), 2)

        def captured() -> str:
            stream.seek(0)
            return stream.read().decode("utf-8", "replace")

        try:
            yield captured
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _is_readable_file(descriptor: int) -> bool:
    mode = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and mode == os.O_RDWR


def _reason(text: str) -> str:
    lines = [line.partition(" E ")[2].strip() for line in text.splitlines() if " E " in line]
    return lines[0][:300] if lines else ""


def _trained_context(header: GgufHeader) -> int:
    """Return the longest context a file is run with.

    With two sets of rotary factors (Phi-3) llama.cpp chooses by the room that is reserved, transformers by the length
    of the text, so only the range of the short factors is reserved.
    """
    architecture = header.metadata.get("general.architecture", "")
    trained = int(header.metadata.get(f"{architecture}.context_length", MAX_CONTEXT))
    if any(tensor.name == "rope_factors_short.weight" for tensor in header.tensors):
        return min(trained, int(header.metadata.get(f"{architecture}.rope.scaling.original_context_length", trained)))
    return trained


def _num_threads(path: Path, wanted: int | None = None) -> int:
    """Return the threads to compute with; on a small model they would mostly wait for each other."""
    if path.stat().st_size < SMALL_MODEL_BYTES:
        return 1
    return wanted or threads_for_now()
