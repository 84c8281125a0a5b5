"""What the trained model itself says: the reference every exported file is compared with.

Data only, without torch: the process that runs a file in llama.cpp starts with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from llmlora.core.examples import Message

MAX_STOP_TOKENS = 128
MAX_STOP_FACTOR = 2  # a file gets this many times the tokens that the reference got to end its reply


@dataclass(frozen=True)
class TokenizedText:
    """A text with its token ids, without and with the special tokens the tokenizer adds."""

    text: str
    ids: list[int]
    ids_with_special: list[int]


@dataclass(frozen=True)
class Rendering:
    """A conversation, its rendered text and token ids."""

    messages: tuple[Message, ...]
    text: str
    ids: list[int]


@dataclass(frozen=True)
class TaughtAnswer:
    """A question of the training data, what it was taught to answer, and what the trained model answers.

    `row` is the 1-based row of the data; `num_prompt_tokens` are those of the question as it is asked, `max_tokens` how
    many a file gets for its answer.
    """

    row: int
    messages: tuple[Message, ...]
    taught: str
    answer: str
    num_prompt_tokens: int
    max_tokens: int

    @property
    def given_text(self) -> str:
        """Everything the model is told: what stands here need not be learned."""
        return "\n".join(turn.content for turn in self.messages)


@dataclass(frozen=True)
class Reference:
    """Token ids, renderings, next-token log-probabilities (contexts, vocabulary), and how a reply ends.

    `turn_end_id` is the token that ends the assistant's turn; `does_stop` tells whether a greedy reply reached one;
    `is_streamed` that the model was computed layer by layer from disk. `added_tokens` tells of each token that the
    tokenizer finds in a text as a whole whether it is special, that is, left out of answers; `unknown_id` is the token
    for what the vocabulary lacks; `end_ids` are all tokens that end a reply.

    `base_logprobs` are those of the base, None where the adapter could not just be switched off. `taught` holds the
    trained model's answers to questions of its data, `num_samples` how many rows were read for texts, `data_problem`
    why none.
    """

    texts: list[TokenizedText]
    renderings: list[Rendering]
    contexts: list[list[int]]
    logprobs: np.ndarray
    stop_messages: tuple[Message, ...]
    does_stop: bool
    turn_end_id: int
    vocabulary: dict[int, str]
    bos_text: str
    template_text: str
    is_streamed: bool = False
    added_tokens: Mapping[int, bool] = field(default_factory=dict)
    unknown_id: int | None = None
    end_ids: frozenset[int] = frozenset()
    base_logprobs: np.ndarray | None = None
    taught: tuple[TaughtAnswer, ...] = ()
    num_samples: int = 0
    data_problem: str | None = None

    @property
    def context_length(self) -> int:
        """The tokens of context that comparing a file needs: the longest prompt and its reply."""
        lengths = [len(ids) for ids in (*(rendering.ids for rendering in self.renderings), *self.contexts)]
        lengths += [asked.num_prompt_tokens for asked in self.taught]
        return max(lengths, default=0) + MAX_STOP_FACTOR * MAX_STOP_TOKENS + 8
