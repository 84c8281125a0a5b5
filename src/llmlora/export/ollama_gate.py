"""The gate after registration: does the server give the answers of the very file that it was given?

The same file is run here, in llama.cpp, and asked the same. A check that a version of Ollama has no means for is
reported as not made (`ok` is None), never as passed.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from llmlora.core.errors import LlmloraError
from llmlora.core.examples import Message
from llmlora.data.asked import Asked
from llmlora.export.served_score import MAX_REPLY_TOKENS
from llmlora.export.taught_check import CarriedFacts
from llmlora.inference.chat import ChatRequest, messages_to_dicts
from llmlora.inference.llamacpp_chat import LlamaCppChat
from llmlora.ollama.client import OllamaClient
from llmlora.ollama.register import Registration
from llmlora.ollama.versions import Abilities

NUM_TOP = 20
# The same blocks by the same engine: builds and caches differ, by at most a hundredth where they were compared.
KL_LIMIT = 0.02
GateName = Literal["show", "render", "tokens", "logprobs", "stop", "truncation", "questions"]


@dataclass(frozen=True)
class GateCheck:
    """One check: passed, failed or not made (None), what was measured, and the first difference."""

    check: GateName
    ok: bool | None
    measured: Mapping[str, Any]
    detail: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form of `ollama.json`."""
        return {**asdict(self), "measured": dict(self.measured)}


@dataclass(frozen=True)
class Expected:
    """What the file itself says: of conversations the text and number of tokens, of texts the likeliest next tokens,
    of questions the answer, and of a long text the number of tokens."""

    shapes: tuple[tuple[tuple[Message, ...], str, int], ...]
    nexts: tuple[tuple[str, Mapping[bytes, float]], ...]
    replies: tuple[tuple[str, bool], ...]
    long_text: str
    num_long: int


def expect(
    path: Path,
    lora: Path | None,
    conversations: Sequence[Sequence[Message]],
    asked: Sequence[Asked],
    system: str | None,
    num_ctx: int,
    num_tokens: int = MAX_REPLY_TOKENS,
) -> Expected:
    """Run a file here, apart: native code may end the process.

    `system` is what the server puts before a conversation that has none, `num_ctx` the context it is told to use,
    `num_tokens` the most of an answer.
    """
    chat = LlamaCppChat(path, lora, is_exact=True)
    try:
        shapes = []
        for messages in conversations:
            whole = with_system(messages, system)
            text = chat.apply_template(whole)
            shapes.append((tuple(messages), text, len(chat.prompt_ids(ChatRequest(whole)))))
        nexts = tuple((text, chat.likeliest(chat.tokenize(text, add_special=True), NUM_TOP)) for _, text, _ in shapes)
        replies = []
        for question in asked:
            ids = chat.prompt_ids(ChatRequest(with_system(question.messages, system)))
            text, _, has_stopped = chat.reply_ids(ids, num_tokens)
            replies.append((text, has_stopped))
        long_text = "a " * (num_ctx // 4)  # at most two tokens a word
        num_long = len(chat.tokenize(long_text, add_special=True))
        return Expected(tuple(shapes), nexts, tuple(replies), long_text, num_long)
    finally:
        chat.close()


def with_system(messages: Sequence[Message], system: str | None) -> tuple[Message, ...]:
    """Return a conversation as the server completes it."""
    if system is None or messages[0].role == "system":
        return tuple(messages)
    return (Message("system", system), *messages)


class Gate:
    """The checks of one registered model; `on_step` gets the number of calls made and planned."""

    def __init__(
        self,
        client: OllamaClient,
        registration: Registration,
        abilities: Abilities,
        architecture: str,
        on_step: Callable[[int, int], None],
    ) -> None:
        self._client = client
        self._registration = registration
        self._abilities = abilities
        self._architecture = architecture
        self._on_step = on_step
        self._done = 0
        self._total = 1
        self._num_tokens = MAX_REPLY_TOKENS

    def run(
        self,
        expected: Expected,
        asked: Sequence[Asked],
        carried: CarriedFacts,
        num_tokens: int = MAX_REPLY_TOKENS,
    ) -> list[GateCheck]:
        """Return all checks; a call that fails is the failure of its check. `num_tokens` are the most of an answer."""
        self._num_tokens = num_tokens
        self._total = 3 * len(expected.shapes) + len(asked) + 2
        answers: list[tuple[str, str]] = []
        checks = [
            self._reported("show", self._show),
            self._reported("render", lambda: self._render(expected)),
            self._reported("tokens", lambda: self._tokens(expected)),
            self._reported("logprobs", lambda: self._logprobs(expected)),
            self._reported("truncation", lambda: self._truncation(expected)),
        ]
        checks.append(self._reported("questions", lambda: self._questions(expected, asked, carried, answers)))
        checks.append(self._reported("stop", lambda: _stop(expected, answers)))
        return checks

    def _reported(self, name: GateName, check: Callable[[], GateCheck]) -> GateCheck:
        try:
            return check()
        except LlmloraError as error:
            return GateCheck(name, False, {}, str(error)[:300])

    def _step(self) -> None:
        self._done += 1
        self._on_step(self._done, self._total)

    def _show(self) -> GateCheck:
        self._step()
        shown, wanted = self._client.show(self._registration.name), self._registration
        details = shown.get("details") or {}
        measured = {"family": details.get("family"), "quantization": details.get("quantization_level")}
        found = set(_shown_parameters(str(shown.get("parameters") or "")))
        lost = [f"{name} {value}" for name, value in _flat(wanted.parameters) if (name, value) not in found]
        if details.get("family") != self._architecture:
            return GateCheck("show", False, measured, f"family: {self._architecture} != {details.get('family')}")
        if lost:
            return GateCheck("show", False, measured, f"parameters: {', '.join(lost[:3])}")
        for name in ("template", "system"):
            text = getattr(wanted, name)
            if text is not None and str(shown.get(name) or "") != text:
                return GateCheck("show", False, measured, f"{name}: {text[:60]!r} != {str(shown.get(name))[:60]!r}")
        return GateCheck("show", True, measured)

    def _render(self, expected: Expected) -> GateCheck:
        if not self._abilities.can_render:
            return GateCheck("render", None, {}, self._abilities.version)
        for messages, text, _ in expected.shapes:
            self._step()
            answer = self._client.chat({**self._question(messages), "_debug_render_only": True})
            found = (answer.get("_debug_info") or {}).get("rendered_template")
            if not isinstance(found, str) or not _is_same_text(found, text):
                return GateCheck("render", False, {}, f"{text[:80]!r} != {str(found)[:80]!r}")
        return GateCheck("render", True, {"num_shapes": len(expected.shapes)})

    def _tokens(self, expected: Expected) -> GateCheck:
        counts = []
        for messages, _, count in expected.shapes:
            self._step()
            answer = self._client.chat({**self._question(messages, 1), "truncate": False})
            counts.append(answer.get("prompt_eval_count"))
            if counts[-1] != count:
                return GateCheck("tokens", False, {"num_tokens": counts}, f"{count} != {counts[-1]}")
        return GateCheck("tokens", True, {"num_tokens": counts})

    def _logprobs(self, expected: Expected) -> GateCheck:
        if not self._abilities.has_logprobs:
            return GateCheck("logprobs", None, {}, self._abilities.version)
        distances = []
        for text, likeliest in expected.nexts:
            self._step()
            body = {"model": self._registration.name, "prompt": text, "raw": True, "logprobs": True}
            answer = self._client.generate({**body, "top_logprobs": NUM_TOP, "options": {"num_predict": 1}})
            tops = next((step["top_logprobs"] for step in answer.get("logprobs") or ()), None)
            if tops:  # left out where the first token is half a character
                found = {bytes(entry["bytes"]): float(entry["logprob"]) for entry in tops}
                distances.append(listed_divergence(likeliest, found))
        if not distances:
            return GateCheck("logprobs", None, {"num_contexts": 0})
        kl = sum(distances) / len(distances)
        measured = {"kl": kl, "max_kl": max(distances), "num_contexts": len(distances), "limit": KL_LIMIT}
        return GateCheck("logprobs", kl <= KL_LIMIT, measured, "" if kl <= KL_LIMIT else f"kl {kl:.2g} > {KL_LIMIT}")

    def _truncation(self, expected: Expected) -> GateCheck:
        """A long prompt that fits the context must be read whole."""
        self._step()
        body = {"model": self._registration.name, "prompt": expected.long_text, "raw": True, "truncate": False}
        answer = self._client.generate({**body, "options": {"num_predict": 1}})
        measured = {"num_ctx": self._registration.parameters["num_ctx"], "num_tokens": answer.get("prompt_eval_count")}
        is_whole = measured["num_tokens"] == expected.num_long
        detail = "" if is_whole else f"{expected.num_long} != {measured['num_tokens']}"
        return GateCheck("truncation", is_whole, measured, detail)

    def _questions(
        self, expected: Expected, asked: Sequence[Asked], carried: CarriedFacts, answers: list[tuple[str, str]]
    ) -> GateCheck:
        if not asked:
            return GateCheck("questions", None, {"num_questions": 0})
        num_facts = num_known = num_kept = num_served = 0
        lost, times = [], []
        for question, (local, _) in zip(asked, expected.replies, strict=True):
            self._step()
            answer = self._client.chat(self._question(question.messages, self._num_tokens))
            served = str((answer.get("message") or {}).get("content"))
            answers.append((served, str(answer.get("done_reason"))))
            given = "\n".join(turn.content for turn in question.messages)
            known, found = (carried(text, question.answer, given) for text in (local, served))
            times.append(_speed(answer))
            num_facts, num_known, num_served = num_facts + len(known), num_known + sum(known), num_served + sum(found)
            kept = sum(is_known and is_found for is_known, is_found in zip(known, found, strict=True))
            num_kept += kept
            if kept < sum(known):
                lost.append(f"{question.messages[-1].content[:60]!r}: {served[:60]!r}")
        measured: dict[str, Any] = {"num_questions": len(asked), "num_known": num_known, "num_kept": num_kept}
        measured |= {"num_facts": num_facts, "num_served": num_served, "tokens_per_second": _mean_speed(times)}
        return GateCheck("questions", num_kept == num_known, measured, "; ".join(lost[:2]))

    def _question(self, messages: Sequence[Message], num_tokens: int | None = None) -> dict[str, Any]:
        options: dict[str, Any] = {"temperature": 0}
        if num_tokens is not None:
            options["num_predict"] = num_tokens
        return {"model": self._registration.name, "messages": messages_to_dicts(messages), "options": options}


def _speed(answer: Mapping[str, Any]) -> tuple[int, float]:
    """Return the tokens of an answer and the seconds it took, the reading of the question included; 0 if unknown."""
    found = [answer.get(name) for name in ("eval_count", "prompt_eval_duration", "eval_duration")]
    count, *nanoseconds = (value if isinstance(value, int) else 0 for value in found)
    return count, sum(nanoseconds) / 1e9


def _mean_speed(times: Sequence[tuple[int, float]]) -> float | None:
    num_tokens, seconds = sum(count for count, _ in times), sum(spent for _, spent in times)
    return round(num_tokens / seconds, 1) if num_tokens and seconds else None


def _stop(expected: Expected, answers: Sequence[tuple[str, str]]) -> GateCheck:
    """Where the file ends its answer by itself, so must the served model."""
    ending = [pair for pair, (_, has_stopped) in zip(answers, expected.replies, strict=False) if has_stopped]
    if not ending:
        return GateCheck("stop", None, {"num_answers": 0})
    endless = [text for text, reason in ending if reason != "stop"]
    detail = f"{endless[0][-60:]!r}" if endless else ""
    return GateCheck("stop", not endless, {"num_answers": len(ending)}, detail)


def listed_divergence(expected: Mapping[bytes, float], found: Mapping[bytes, float]) -> float:
    """Return KL(expected || found) over the listed tokens and the rest as one; what is not found counts as the last."""
    last = min(found.values())
    p = [math.exp(value) for value in expected.values()]
    q = [math.exp(found.get(token, last)) for token in expected]
    rest_p, rest_q = max(1 - sum(p), 1e-6), max(1 - sum(q), 1e-6)
    pairs = [*zip(p, q, strict=True), (rest_p, rest_q)]
    total_p, total_q = sum(p) + rest_p, sum(q) + rest_q
    return sum(a / total_p * math.log((a / total_p) / (b / total_q)) for a, b in pairs if a > 0)


def _is_same_text(found: str, expected: str) -> bool:
    """Compare two renderings; the server adds the beginning-of-text token itself, as a token."""
    return found == expected or (expected.endswith(found) and "\n" not in expected[: len(expected) - len(found)])


def _flat(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in parameters.items():
        for item in value if isinstance(value, list | tuple) else [value]:
            yield name, _plain(item)


def _shown_parameters(text: str) -> Iterator[tuple[str, str]]:
    """Yield the parameters that /api/show lists, one in a line: a name, spaces, a value, texts in quotes."""
    for line in text.splitlines():
        name, _, value = line.strip().partition(" ")
        value = value.strip()
        try:
            yield name, _plain(json.loads(value))
        except ValueError:
            yield name, value.strip('"')


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else repr(float(value))
