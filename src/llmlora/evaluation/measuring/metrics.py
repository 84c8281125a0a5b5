"""Similarity of an answer to its reference, on characters, so that they hold for Japanese: identical texts score 1."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

CHRF_ORDER = 6
CHRF_BETA = 2.0
BLEU_ORDER = 4
REPEATED_SPAN = 12
REPEAT_SHARE = 0.5


def normalise_answer(text: str) -> str:
    """Return a text in NFKC form with runs of white space as one blank and none at its ends."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC", text)).strip()


def exact_match(answer: str, reference: str) -> bool:
    """Tell whether two texts are equal but for character widths and white space."""
    return normalise_answer(answer) == normalise_answer(reference)


def chrf(answer: str, reference: str, order: int = CHRF_ORDER, beta: float = CHRF_BETA) -> float:
    """Return the chrF score, 0 to 1: F-beta of character n-grams, white space ignored.

    Precision and recall are averaged over the n-gram lengths that either text can have (Popović 2015).
    """
    hypothesis, wanted = _characters(answer), _characters(reference)
    if not hypothesis or not wanted:
        return float(hypothesis == wanted)
    precision = recall = 0.0
    longest = min(order, max(len(hypothesis), len(wanted)))
    for size in range(1, longest + 1):
        found, expected = _ngrams(hypothesis, size), _ngrams(wanted, size)
        shared = (found & expected).total()
        precision += shared / max(found.total(), 1)
        recall += shared / max(expected.total(), 1)
    return _f_score(precision / longest, recall / longest, beta)


def rouge_l(answer: str, reference: str) -> float:
    """Return ROUGE-L on characters, 0 to 1: F1 of the longest common subsequence (Lin 2004)."""
    hypothesis, wanted = _characters(answer), _characters(reference)
    if not hypothesis or not wanted:
        return float(hypothesis == wanted)
    common = _common_subsequence(hypothesis, wanted)
    return _f_score(common / len(hypothesis), common / len(wanted), 1.0)


def char_bleu(answer: str, reference: str) -> float:
    """Return BLEU on characters up to 4-grams, 0 to 1, unsmoothed, with the brevity penalty (Papineni 2002)."""
    hypothesis, wanted = _characters(answer), _characters(reference)
    if not hypothesis or not wanted:
        return float(hypothesis == wanted)
    product = 1.0
    longest = min(BLEU_ORDER, len(hypothesis), len(wanted))
    for size in range(1, longest + 1):
        found = _ngrams(hypothesis, size)
        product *= (found & _ngrams(wanted, size)).total() / found.total()
    brevity = min(1.0, 2.718281828459045 ** (1 - len(wanted) / len(hypothesis)))
    return float(brevity * product ** (1 / longest))


def is_repetitive(text: str) -> bool:
    """Tell whether a text runs in circles: some 12 characters that come again make up half of it."""
    plain = _characters(text)
    if len(plain) < 2 * REPEATED_SPAN:
        return False
    spans = Counter(plain[start : start + REPEATED_SPAN] for start in range(len(plain) - REPEATED_SPAN + 1))
    repeated = sum(count for count in spans.values() if count > 1)
    return repeated >= REPEAT_SHARE * spans.total()


def mean(values: Iterable[float]) -> float | None:
    """Return the mean, None of nothing."""
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None


def _characters(text: str) -> str:
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


def _ngrams(text: str, size: int) -> Counter[str]:
    return Counter(text[start : start + size] for start in range(len(text) - size + 1))


def _f_score(precision: float, recall: float, beta: float) -> float:
    weight = beta * beta
    below = weight * precision + recall
    return (1 + weight) * precision * recall / below if below else 0.0


def _common_subsequence(first: str, second: str) -> int:
    """Return the length of the longest common subsequence by bit-parallel rows: O(len(first)) big-integer steps."""
    places: dict[str, int] = {}
    for index, character in enumerate(second):
        places[character] = places.get(character, 0) | 1 << index
    full = (1 << len(second)) - 1
    row = full
    for character in first:
        matches = row & places.get(character, 0)
        row = ((row + matches) | (row - matches)) & full
    return len(second) - row.bit_count()
