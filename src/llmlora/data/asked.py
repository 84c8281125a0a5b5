"""A training row as the question that a user asks the trained model, with the answer it was taught."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from llmlora.core.examples import Example, Message

_ANSWER_MARK = re.compile(
    r"^(?P<before>.*?(?:^|\n)\s*(?:回答|答え|解答|応答|Answer|A)\s*[:\uff1a]\s*)(?P<after>\S.*)$", re.S
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model is told, ending with the user's turn, and what it was taught to answer."""

    messages: tuple[Message, ...]
    answer: str


def asked_of(example: Example, system: str | None = None) -> Asked | None:
    """Return the question of a training row: the turns up to its first learned answer; None when it has none.

    A prompt/completion row asks with its prompt, a text row with the part up to a mark such as `回答:`, both exactly as
    they are. `system` is the setting of that name: as in training it begins conversations that have no system turn.
    """
    if example.messages:
        turns = example.messages
        answer = next((index for index, turn in enumerate(turns) if turn.role == "assistant" and turn.learned), 0)
        is_call = bool(turns[answer].tool_calls)  # what tools there are is told by no question
        if not answer or turns[answer - 1].role != "user" or is_call or example.tools:
            return None
        before = [Message("system", system)] if system and turns[0].role != "system" else []
        return Asked((*before, *turns[:answer]), turns[answer].content)
    if example.prompt and example.completion:
        return Asked((Message("user", example.prompt),), example.completion.strip())
    if example.text and (match := _ANSWER_MARK.match(example.text)):
        return Asked((Message("user", match["before"]),), match["after"].strip())
    return None


def question_of(example: Example) -> tuple[str, str] | None:
    """Return the question of a row as its author wrote it, and the answer; None where it cannot be put otherwise."""
    asked = None if example.text is not None else asked_of(example)
    return None if asked is None else (asked.messages[-1].content, asked.answer)


def reworded(example: Example, question: str) -> Example:
    """Return a row that has a question, up to its answer, with that question in other words."""
    if not example.messages:
        prompt = example.prompt or ""
        before, after = prompt[: len(prompt) - len(prompt.lstrip())], prompt[len(prompt.rstrip()) :]
        return replace(example, prompt=f"{before}{question}{after}")
    turns = example.messages
    answer = next(index for index, turn in enumerate(turns) if turn.role == "assistant" and turn.learned)
    return replace(example, messages=(*turns[: answer - 1], Message("user", question), turns[answer]))


def asks_with_text_alone(render: Callable[[Sequence[Message]], str], bos: str = "") -> bool:
    """Tell whether `render` shows the last user's text and nothing else: no system message, no earlier turn.

    `render` returns a conversation ready for the assistant's turn; `bos` may stand in front.
    """
    system, first = Message("system", "probe-system-text"), Message("user", "probe-user-text")
    last = Message("user", " probe-last-text\n")
    turns = [system, first, Message("assistant", "probe-assistant-text"), last]
    return all(render(asked).removeprefix(bos) == last.content for asked in ([last], turns))
