"""Rows of the training data that are like a question, as examples in front of it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable

from llmlora.evaluation.measuring.questions import Question
from llmlora.evaluation.measuring.wordings import plain

GRAM_SIZES = (2, 3)
MAX_ROWS = 20_000  # of a larger data set, the first ones


class LikeRows:
    """Questions with their answers, found by TF-IDF of character n-grams; of equally worded ones the first stays."""

    def __init__(self, rows: Iterable[Question]) -> None:
        by_text: dict[str, Question] = {}
        for row in rows:
            if len(by_text) == MAX_ROWS:
                break
            by_text.setdefault(plain(row.text), row)
        self._texts, self._rows = list(by_text), list(by_text.values())
        counts = [_grams(text) for text in self._texts]
        spread = Counter(gram for count in counts for gram in count)
        self._idf = {gram: math.log((1 + len(counts)) / (1 + number)) + 1 for gram, number in spread.items()}
        self._places: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for place, count in enumerate(counts):
            for gram, weight in self._weights(count).items():
                self._places[gram].append((place, weight))

    def __len__(self) -> int:
        return len(self._rows)

    def like(self, question: Question, text: str, count: int) -> list[Question]:
        """Return at most `count` rows that are like `text`, the likest last.

        A row that asks the question itself, in the wording `text` or in any other that it comes in, is never one.
        """
        asked = {plain(wording) for wording in (question.text, *question.paraphrases, text)}
        scores: dict[int, float] = defaultdict(float)
        for gram, weight in self._weights(_grams(plain(text))).items():
            for place, other in self._places.get(gram, ()):
                scores[place] += weight * other
        best = sorted(scores, key=lambda place: (-round(scores[place], 9), place))
        chosen = [place for place in best if self._texts[place] not in asked][:count]
        return [self._rows[place] for place in reversed(chosen)]

    def _weights(self, count: Counter[str]) -> dict[str, float]:
        found = {gram: number * self._idf[gram] for gram, number in count.items() if gram in self._idf}
        length = math.sqrt(sum(weight * weight for weight in found.values()))
        return {gram: weight / length for gram, weight in found.items()}


def _grams(text: str) -> Counter[str]:
    return Counter(text[start : start + size] for size in GRAM_SIZES for start in range(len(text) - size + 1))
