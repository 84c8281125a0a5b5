"""Checks that run an exported file in llama.cpp: tokens, template, probabilities and end, against the reference.

Called in a process of their own (child.py), which a broken file may end.
"""

from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from llmlora.core.errors import LlmloraError
from llmlora.core.generate_options import GenerateOptions
from llmlora.core.layout import STITCHED
from llmlora.export.check import Check, CheckName, failed, passed, what_failed, within
from llmlora.export.reference import MAX_STOP_FACTOR, MAX_STOP_TOKENS, Reference, TokenizedText
from llmlora.inference.chat import ChatRequest
from llmlora.inference.llamacpp_chat import LlamaCppChat

# Measured on random models of ten architectures: f16 at most 1.3e-2 and 3e-6, Q8_0 1.6e-3. What a difference above
# 0.05 in F16 or BF16 means is decided in rounding.py.
LIMITS: dict[str, Mapping[str, float]] = {
    "F32": {"max_diff": 0.05, "kl": 1e-4},
    "F16": {"max_diff": 0.05, "kl": 1e-4},
    "BF16": {"max_diff": 0.05, "kl": 1e-3},  # llama.cpp rounds activations to bf16 too: 1e-4 to 3e-4 measured
    "Q8_0": {"kl": 0.01},
    STITCHED: {"kl": 0.02},
}
LIKELY = 1e-5
NUM_LIKELIEST = 8192  # entries of a distribution that are compared
SPACE_SENSITIVE = ("t5", "llama")
NARROW_RULES = ("tekken", "gpt-4o")


def check_tokenizer(chat: LlamaCppChat, reference: Reference) -> Check:
    """Compare the token ids of every text, with and without the special tokens that the tokenizer adds."""
    different = [found for text in reference.texts if (found := _difference(chat, text))]
    metadata = chat.header.metadata
    # Unigram and SentencePiece tokenizers of llama.cpp treat spaces at the very beginning in their own way; no rendered
    # conversation of a chat begins with one, and check_template compares those token by token.
    is_lenient = metadata.get("tokenizer.ggml.model") in SPACE_SENSITIVE
    edges = [found for found in different if is_lenient and found[0].text[:1].isspace()]
    # By these rules llama.cpp tells capitals from small letters for A to Z alone and takes marks for no letters, for
    # everybody's files; what a user's conversations hold of such letters is compared by check_template as well.
    is_narrow = metadata.get("tokenizer.ggml.pre") in NARROW_RULES
    scripts = [found for found in different if is_narrow and _has_narrowed_letters(found[0].text)]
    serious = [found for found in different if found not in edges and found not in scripts]
    measured = {
        "num_texts": len(reference.texts),
        "num_different": len(serious),
        "num_leading_space": len(edges),
        "num_other_scripts": len(scripts),
    }
    if not serious:
        return passed("tokenizer", measured)
    text, cause, expected, ids = serious[0]
    return failed("tokenizer", cause, f"{text.text[:60]!r}: {_short(expected)} != {_short(ids)}", measured)


def _has_narrowed_letters(text: str) -> bool:
    """Tell whether a text has marks (as of Hindi), or letters outside ASCII that are capital or small."""
    return any(
        unicodedata.category(sign) in ("Mn", "Mc", "Me", "Lu", "Ll", "Lt") and not sign.isascii() for sign in text
    )


def _difference(chat: LlamaCppChat, text: TokenizedText) -> tuple[TokenizedText, str, list[int], list[int]] | None:
    for cause, is_special, expected in (
        ("vocabulary", False, text.ids),
        ("special_tokens", True, text.ids_with_special),
    ):
        ids = chat.tokenize(text.text, add_special=is_special)
        if ids != expected:
            return text, cause, expected, ids
    return None


def check_template(chat: LlamaCppChat, reference: Reference) -> Check:
    """Compare the rendered text and the token count of every conversation shape."""
    measured: dict[str, Any] = {"num_shapes": len(reference.renderings), "num_tokens": []}
    for rendering in reference.renderings:
        text = chat.apply_template(rendering.messages)
        expected = rendering.text
        if text.removeprefix(reference.bos_text) != expected.removeprefix(reference.bos_text):
            return failed("template", "template", first_difference(expected, text), measured)
        ids = chat.prompt_ids(ChatRequest(rendering.messages))
        count = chat.count_chat_tokens(rendering.messages)
        measured["num_tokens"].append(count)
        if ids != rendering.ids or count != len(rendering.ids):
            cause = "double_bos" if count == len(rendering.ids) + 1 else "token_count"
            detail = f"{len(rendering.ids)} != {count}: {_short(rendering.ids)} != {_short(ids)}"
            return failed("template", cause, detail, measured)
    return passed("template", measured)


def compare_distributions(chat: LlamaCppChat, contexts: Sequence[list[int]], logprobs: np.ndarray) -> dict[str, Any]:
    """Return `max_diff` over tokens of p >= 1e-5, mean `kl` and `max_kl` over the vocabulary, and `top1_agreement`."""
    max_diff, divergences, num_same = 0.0, [], 0
    for ids, expected in zip(contexts, logprobs, strict=True):
        got = chat.next_token_logprobs(ids, NUM_LIKELIEST)
        max_diff = max(max_diff, _largest_difference(expected, got))
        divergences.append(divergence(expected, got))
        num_same += int(got.argmax() == expected.argmax())
    return {
        "max_diff": max_diff,
        "kl": float(np.mean(divergences)),
        "max_kl": float(np.max(divergences)),
        "top1_agreement": num_same / len(divergences),
        "num_contexts": len(divergences),
    }


def _largest_difference(expected: np.ndarray, got: np.ndarray) -> float:
    """Compare likely tokens; one that the file does not list among its likeliest is at most as likely as the last."""
    likely = expected >= np.log(LIKELY)
    listed = np.where(np.isfinite(got), got, got[np.isfinite(got)].min())
    return float(np.abs(listed[likely] - expected[likely]).max())


def divergence(expected: np.ndarray, got: np.ndarray) -> float:
    """Return KL(expected || got) of two rows of log-probabilities; what `got` does not list counts as one entry.

    llama.cpp's probabilities sum to up to 1.0005, which would shift a KL by more than the limit of an F16 file, so both
    rows are made to sum to 1, in float64.
    """
    listed = np.isfinite(got)
    p, q = np.exp(expected.astype(np.float64)), np.exp(got[listed].astype(np.float64))
    rest = p[~listed].sum()
    p = p[listed]
    # The mass that is not listed is known to those 0.0005 only: below, both rows are compared on what is listed.
    if rest > 1e-3:
        p, q = np.append(p, rest), np.append(q, max(1.0 - q.sum(), 1e-9))
    p, q = p / p.sum(), q / q.sum()
    possible = p > 0
    with np.errstate(divide="ignore"):
        return float((p[possible] * np.log(p[possible] / q[possible])).sum())


def check_logprobs(chat: LlamaCppChat, reference: Reference, quantization: str) -> Check:
    """Compare the whole next-token distribution after every context."""
    num_expected = reference.logprobs.shape[1]
    if chat.vocab_size != num_expected:
        detail = f"{num_expected} != {chat.vocab_size}"
        return failed("logprobs", "vocabulary", detail, {"vocab_size": chat.vocab_size})
    return within(
        "logprobs",
        "weights",
        compare_distributions(chat, reference.contexts, reference.logprobs),
        LIMITS.get(quantization, {}),
    )


def check_stop(chat: LlamaCppChat, reference: Reference, quantization: str) -> Check:
    """Make sure that the end token ends a reply, and that the file stops by itself where the reference does."""
    prompt_ids = chat.prompt_ids(ChatRequest(reference.stop_messages))
    measured: dict[str, Any] = {"end_token": reference.turn_end_id, "reference_stops": reference.does_stop}
    if not chat.stops_at(prompt_ids, reference.turn_end_id):
        return failed("stop", "end_token", reference.vocabulary[reference.turn_end_id], measured)
    is_close = "kl" in LIMITS.get(quantization, {})
    if not reference.does_stop:
        return passed("stop", measured)
    room = chat.context_length - len(prompt_ids) - 1
    options = GenerateOptions(max_new_tokens=max(1, min(room, MAX_STOP_FACTOR * MAX_STOP_TOKENS)))
    reply = chat.chat(ChatRequest(reference.stop_messages, options=options))
    measured |= {"stops": reply.finish_reason == "stop", "num_tokens": reply.num_tokens}
    if reply.finish_reason == "stop" or not is_close:
        return passed("stop", measured)
    return failed("stop", "never_stops", f"{reply.num_tokens}", measured)


@dataclass(frozen=True)
class Reply:
    """A file's greedy answer to a taught question: text as users see it, token ids with the end token.

    `seconds` is how long it took, the reading of the question included.
    """

    text: str
    token_ids: tuple[int, ...]
    has_stopped: bool
    seconds: float = field(default=0.0, compare=False)


@dataclass(frozen=True)
class FileRun:
    """What running a file showed: checks, and its answers to the taught questions (None when a request failed)."""

    checks: list[Check]
    replies: tuple[Reply, ...] | None


def run_checks(path: Path, reference: Reference, quantization: str, num_threads: int | None = None) -> FileRun:
    """Load a file, ask the taught questions, and run the checks of what it predicts.

    Raises ModelFileError when llama.cpp refuses the file.
    """
    chat = LlamaCppChat(path, None, True, reference.context_length, num_threads)
    return FileRun(_model_checks(chat, reference, quantization), _replies(chat, reference))


def run_text_checks(path: Path, reference: Reference) -> list[Check]:
    """Load a file and run the checks of what depends on its tokenizer and template alone."""
    chat = LlamaCppChat(path, None, True, reference.context_length, 1)
    return [
        _reported("tokenizer", lambda: check_tokenizer(chat, reference)),
        _reported("template", lambda: check_template(chat, reference)),
    ]


def run_adapter(
    path: Path, reference: Reference, lora_path: Path, num_threads: int | None = None
) -> tuple[dict[str, Any], tuple[Reply, ...] | None]:
    """Load a file with an adapter; return what `compare_distributions` measures and the answers."""
    chat = LlamaCppChat(path, lora_path, True, reference.context_length, num_threads)
    return compare_distributions(chat, reference.contexts, reference.logprobs), _replies(chat, reference)


def run_served(
    path: Path, reference: Reference, lora_path: Path, prompts: Sequence[Sequence[int]], num_threads: int | None = None
) -> tuple[dict[str, Any], tuple[Reply, ...] | None]:
    """Load the base's own file with an adapter and return what `run_adapter` returns.

    `prompts` are the taught questions as ids: the file's own template may be another one.
    """
    chat = LlamaCppChat(path, lora_path, True, reference.context_length, num_threads)
    return compare_distributions(chat, reference.contexts, reference.logprobs), _replies(chat, reference, prompts)


def _replies(
    chat: LlamaCppChat, reference: Reference, prompts: Sequence[Sequence[int]] | None = None
) -> tuple[Reply, ...] | None:
    replies = []
    for number, asked in enumerate(reference.taught):
        try:
            prompt = chat.prompt_ids(ChatRequest(asked.messages)) if prompts is None else prompts[number]
            began = time.perf_counter()
            text, ids, has_stopped = chat.reply_ids(prompt, asked.max_tokens)
        except LlmloraError:
            return None
        replies.append(Reply(text, tuple(ids), has_stopped, time.perf_counter() - began))
    return tuple(replies)


def measure_distributions(
    path: Path, contexts: Sequence[list[int]], logprobs: np.ndarray, num_threads: int | None = None
) -> dict[str, Any]:
    """Load a file and return what `compare_distributions` measures.

    Raises:
        ModelFileError: llama.cpp refuses the file.
    """
    longest = max(map(len, contexts))
    return compare_distributions(LlamaCppChat(path, None, True, longest + 8, num_threads), contexts, logprobs)


def _model_checks(chat: LlamaCppChat, reference: Reference, quantization: str) -> list[Check]:
    return [
        _reported("logprobs", lambda: check_logprobs(chat, reference, quantization)),
        _reported("stop", lambda: check_stop(chat, reference, quantization)),
    ]


def _reported(name: CheckName, check: Callable[[], Check]) -> Check:
    """Run a check; a request that fails becomes a failed check, so that the others still run."""
    try:
        return check()
    except LlmloraError as error:
        return failed(name, "engine", what_failed(error), {})


def _short(ids: Sequence[int]) -> str:
    return str(list(ids[:12]))[:-1] + (", ...]" if len(ids) > 12 else "]")


def first_difference(expected: str, text: str) -> str:
    """Return both texts around the first character that differs."""
    index = next((i for i, pair in enumerate(zip(expected, text, strict=False)) if pair[0] != pair[1]), -1)
    index = min(len(expected), len(text)) if index < 0 else index
    start = max(0, index - 20)
    return f"{expected[start : index + 40]!r} != {text[start : index + 40]!r}"
