"""Whether a GGUF file, opened for training, is the model that llama.cpp makes of it: tokens, template, predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from llmlora.catalog.gguf_files import named_parts
from llmlora.catalog.gguf_header import GgufTensor
from llmlora.core.errors import ModelFileError
from llmlora.core.examples import Message
from llmlora.core.layout import scratch_dir
from llmlora.export.check import Check
from llmlora.export.child import OnWait, run_apart
from llmlora.export.reference import Reference
from llmlora.export.runtime_checks import check_template, check_tokenizer, compare_distributions, first_difference
from llmlora.export.sizes import check_room
from llmlora.export.trained_answers import logprobs_after, renderings_of, special_tokens_of, tokenized
from llmlora.export.verify_texts import comparison_texts, conversations
from llmlora.gguf.container import TensorPlan, write_container
from llmlora.gguf.gguf_source import GgufSource
from llmlora.gguf.reader import read_values
from llmlora.inference.llamacpp_chat import LlamaCppChat
from llmlora.inference.transformers_chat import TransformersChat, fits_memory, load_reference_chat
from llmlora.prepare.go_syntax import GoTemplateError
from llmlora.prepare.go_template import render_go
from llmlora.prepare.template import load_template
from llmlora.weights.base import Base

MAX_KL = 0.01
# With quantised weights llama.cpp rounds what it multiplies them with to 8 bits. Where all is right that alone was
# measured at 0.010 (SmolLM2, Q4_1) and 0.020 (Gemma 3 270M, Q4_K_M); a fault costs 0.5 and more.
MAX_ROUNDED_KL = 0.1
FLOATS = ("F32", "F16", "BF16")
NUM_PROMPTS, PROMPT_TOKENS = 5, 64
SECONDS_PER_GIGABYTE, LEAST_SECONDS = 600.0, 600.0


@dataclass(frozen=True)
class Comparison:
    """What llama.cpp said of a file: checks of texts, and how far its predictions are from the model's."""

    checks: list[Check]
    distributions: dict[str, Any]


def check_opened(base: Base, on_wait: OnWait | None = None) -> dict[str, Any]:
    """Compare a GGUF base in float32 with llama.cpp on the same file; return what was measured.

    A quantised file whose predictions differ by more than MAX_KL is compared once more, with its own weights written
    out as F16: what is left then is the difference that an error of ours would make (`unrounded`).

    Raises:
        ModelFileError: `gguf_selftest_failed` with the check and its first difference; `gguf_load_failed`.
        DiskFull: no room for the second comparison. RunError: llama.cpp died or hung on the file.
    """
    source = base.source
    if not isinstance(source, GgufSource):
        raise TypeError(type(source).__name__)
    reference = _reference(base)
    seconds = LEAST_SECONDS + SECONDS_PER_GIGABYTE * source.files.num_bytes / 1e9
    compare = partial(run_apart, _compare, seconds=seconds, on_wait=on_wait)
    with named_parts(source.files.paths) as path:
        compared: Comparison = compare(path, reference, True)
    for check in compared.checks:
        if not check.ok:
            raise _failure(base, check.check, check.detail)
    measured: dict[str, Any] = {check.check: dict(check.measured) for check in compared.checks}
    measured["logprobs"] = compared.distributions
    is_quantized = any(source.ggml_type(name) not in FLOATS for name in source.names())
    _require(base, "logprobs", compared.distributions, MAX_ROUNDED_KL if is_quantized else MAX_KL)
    if is_quantized and compared.distributions["max_kl"] > MAX_KL:
        with _unrounded(source) as path:
            measured["unrounded"] = compare(path, reference, False).distributions
        _require(base, "unrounded", measured["unrounded"], MAX_KL)
    return measured


def ollama_difference(base: Base, go_template: str, system: str | None) -> str | None:
    """Return where Ollama would render a conversation otherwise than the base's own template; None when nowhere.

    `system` is what Ollama says to the model where a conversation has no system message.
    """
    template = load_template(base.tokenizer_dir)
    bos = str(template.tokenizer.bos_token or "")
    for messages in conversations((), None):
        own = template.render(messages, add_generation_prompt=True)
        has_system = messages[0].role == "system"
        asked = messages if has_system or not system else [Message("system", system), *messages]
        try:
            text = render_go(go_template, asked)
        except GoTemplateError as error:
            return f"{{{{ {error} }}}}"
        if own.removeprefix(bos) != text.removeprefix(bos):
            return first_difference(own.removeprefix(bos), text.removeprefix(bos))
    return None


def _require(base: Base, check: str, distributions: dict[str, Any], limit: float) -> None:
    if not distributions["max_kl"] <= limit:
        raise _failure(base, check, f"KL {distributions['max_kl']:.3g} > {limit:g}")


def _failure(base: Base, check: str, detail: str) -> ModelFileError:
    return ModelFileError("gguf_selftest_failed", path=str(base.path), check=check, detail=detail)


def _compare(path: Path, reference: Reference, with_texts: bool) -> Comparison:
    """Load a file in llama.cpp and compare; called in a process of its own."""
    chat = LlamaCppChat(path, None, True, reference.context_length)
    # First: what the server keeps of an earlier conversation changes what it computes behind a sliding window.
    distributions = compare_distributions(chat, reference.contexts, reference.logprobs)
    checks = [check_tokenizer(chat, reference)] if with_texts else []
    if with_texts and chat.has_template:
        checks.append(check_template(chat, reference))
    return Comparison(checks, distributions)


def _reference(base: Base) -> Reference:
    """Load the model as training would, record what it makes of texts and prompts, and free it."""
    chat = load_reference_chat(base, None, load_template(base.tokenizer_dir), not fits_memory(base))
    try:
        return _recorded(chat)
    finally:
        chat.close()


def _recorded(chat: TransformersChat) -> Reference:
    renderings = renderings_of(chat, conversations((), None))
    texts = tokenized(chat, comparison_texts((), special_tokens_of(chat)))
    contexts = _prompts([rendering.ids for rendering in renderings], [text.ids_with_special for text in texts])
    return Reference(
        texts=texts,
        renderings=renderings,
        contexts=contexts,
        logprobs=logprobs_after(chat, contexts, lambda: None),
        stop_messages=(),
        does_stop=False,
        turn_end_id=-1,
        vocabulary={},
        bos_text=str(chat.tokenizer.bos_token or ""),
        template_text=chat.template.text,
    )


def _prompts(renderings: Sequence[list[int]], texts: Sequence[list[int]]) -> list[list[int]]:
    """Return token ids to predict after: two conversations, and the longest texts, Japanese and others."""
    longest = sorted(texts, key=len, reverse=True)
    return [ids[:PROMPT_TOKENS] for ids in [*renderings[:2], *longest][:NUM_PROMPTS]]


@contextmanager
def _unrounded(source: GgufSource) -> Iterator[Path]:
    """Yield the same model as one file whose quantised tensors are written out as F16."""
    plans = [
        TensorPlan(
            tensor.name,
            tensor.shape,
            "F32" if tensor.ggml_type == "F32" else "F16",
            partial(_written_out, path, tensor),
        )
        for path, header in zip(source.files.paths, source.files.headers, strict=True)
        for tensor in header.tensors
    ]
    scratch_dir().mkdir(parents=True, exist_ok=True)
    check_room(scratch_dir(), sum(plan.num_bytes for plan in plans))
    first = source.files.headers[0]
    dropped = ("split.", "general.alignment")
    metadata = {name: value for name, value in first.metadata.items() if not name.startswith(dropped)}
    with TemporaryDirectory(dir=scratch_dir()) as folder:
        target = Path(folder) / "model.gguf"
        write_container(target, {**metadata, "general.file_type": 1}, plans, first.value_types)
        yield target


def _written_out(path: Path, tensor: GgufTensor) -> Iterator[np.ndarray]:
    values = read_values(path, tensor)
    yield values if tensor.ggml_type == "F32" else values.astype(np.float16)
