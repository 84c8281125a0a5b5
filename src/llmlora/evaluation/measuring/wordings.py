"""Whether a question is asked as it was trained, with another ending, or really in other words."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Literal

Wording = Literal["as_trained", "other_ending", "other_words"]

# The likest of 40 questions that people reworded by hand (hand_rewordings.jsonl beside the tests) is 0.59 alike.
OTHER_ENDING = 0.6
MAX_PROMPTS_COMPARED = 5_000  # of a larger data set, nearness is told from these; equality from all


def plain(text: str) -> str:
    """Return a text without what is no word of it: width, case, punctuation, spaces."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", text).casefold())


def likeness(one: str, other: str) -> float:
    """Return how many of the character pairs of two texts are the same ones (Dice), 0 to 1."""
    return _likeness(_pairs(one), _pairs(other))


def _pairs(text: str) -> Counter[str]:
    bare = plain(text)
    return Counter(bare[place : place + 2] for place in range(len(bare) - 1)) or Counter([bare])


def _likeness(one: Counter[str], other: Counter[str]) -> float:
    return 2 * (one & other).total() / (one.total() + other.total())


class TrainedPrompts:
    """The questions that a job was trained on; without any, every question is taken to be asked as trained."""

    def __init__(self, prompts: Iterable[str] = ()) -> None:
        texts = dict.fromkeys(prompts)
        self._plain = {plain(text) for text in texts}
        self._pairs = [_pairs(text) for text in list(texts)[:MAX_PROMPTS_COMPARED]]

    def of_question(self, text: str) -> Wording:
        """Tell how a question stands to all that was trained."""
        if not self._plain or plain(text) in self._plain:
            return "as_trained"
        pairs = _pairs(text)
        near = any(_likeness(pairs, other) > OTHER_ENDING for other in self._pairs)
        return "other_ending" if near else "other_words"

    def of_paraphrase(self, text: str, asked: str) -> Wording:
        """Tell how another wording stands to its question and to all that was trained."""
        if plain(text) in self._plain | {plain(asked)}:
            return "as_trained"
        return "other_ending" if likeness(text, asked) > OTHER_ENDING else "other_words"
